"""`maskgen demo`: what the page answers, and the page itself, asked over loopback as a browser would."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic_faces import mean_face
from tiny_onnx import SPEC, write_bright

from maskgen.__main__ import main
from maskgen.datasets.sample import SHIPS_IN
from maskgen.demo import answer as demo
from maskgen.demo import guard as demo_guard
from maskgen.errors import UnreadableImageError
from maskgen.train.model.classifier import Classifier

REPOSITORY = Path(__file__).parents[2]
PORTRAIT = SHIPS_IN / "eileen_collins_face.jpg"


class Finder:
    """Finds the mean face in every image, and counts how often it is asked."""

    def __init__(self, count=1):
        self.count, self.asked = count, 0

    def find(self, image, *, boxes=(), sample_id=None, every_face=False):
        self.asked += 1
        size = image.shape[1::-1]
        return [mean_face(size=size, eye_distance=60, center=(100 + 160 * n, 90)) for n in range(self.count)]

    def close(self):
        raise AssertionError("it belongs to the caller")


def classifier(seen):
    def ask(images):
        seen.append(images)
        male = images.mean(axis=(1, 2, 3), dtype=np.float32) / 255
        return np.stack([1 - male, male], axis=1)

    return Classifier("bright", Path("m.onnx"), SPEC, ask)


def picture(size=(200, 240), format="JPEG"):
    data = BytesIO()
    noise = np.random.default_rng(0).normal(170, 8, (size[1], size[0], 3))
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(data, format)
    return data.getvalue()


@pytest.mark.parametrize("blend", ["overlay", "poisson", "flatten"])
def test_both_pictures_are_judged_at_the_place_where_the_face_was_found_once(blend):
    seen, finder = [], Finder()
    found = demo.answer(picture(), classifier(seen), finder, "surgical_black", blend, "correct")
    assert finder.asked == 1
    assert found.unmasked.predictions[0].box == found.masked.predictions[0].box
    assert [images.shape for images in seen] == [(1, 32, 32, 3)] * 2
    assert not np.array_equal(seen[0], seen[1])
    if blend != "flatten":
        assert seen[1].mean() < seen[0].mean() - 20, "the mask is black"
    assert "1 face masked" in found.note


def test_every_face_is_masked_and_judged():
    found = demo.answer(
        picture((360, 240)), classifier([]), Finder(2), "surgical_blue", "overlay", "nose-out"
    )
    assert len(found.unmasked.predictions) == len(found.masked.predictions) == 2
    assert "2 faces masked" in found.note and "nose 0%" in found.note


def test_without_a_face_the_picture_is_shown_and_the_reason_said():
    found = demo.answer(picture(), classifier([]), Finder(0), "surgical_blue", "overlay", "correct")
    assert (found.masked, found.unmasked.predictions) == (None, ())
    assert found.note.startswith("Not masked: no face")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html><body>404</body></html>", "HTML"),
        (picture(format="PNG")[:300], "truncated PNG"),
        (b"BM" + bytes(demo.LARGEST_FILE), "bytes, more than"),
        # A header of 30,000 x 30,000 pixels, which would unfold into gigabytes.
        (
            picture((8, 8), "PNG")[:16] + b"\0\0\x75\x30\0\0\x75\x30" + picture((8, 8), "PNG")[24:],
            "pixels are|broken",
        ),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused_before_it_is_decoded(data, said):
    finder = Finder()
    with pytest.raises(UnreadableImageError, match=said):
        demo.answer(data, classifier([]), finder, "surgical_blue", "overlay", "correct")
    assert not finder.asked


def test_without_gradio_the_command_that_installs_it_is_said(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["demo", "absent.onnx"]) == 2
    assert "pip install 'maskgen[demo]'" in capsys.readouterr().err


def test_it_cannot_be_shared_through_someone_elses_server(capfd):
    assert main(["demo", "m.onnx", "--share"]) == 2
    assert "--share" in capfd.readouterr().err


def started(*arguments, **environment):
    command = [sys.executable, "-m", "maskgen", "demo", *map(str, arguments)]
    known = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
    return subprocess.Popen(
        command, env=known, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY.anchor
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The real program with a model of 1 kB: (its address, the folder for its temporary files)."""
    for package in ("gradio", "onnxruntime"):
        pytest.importorskip(package)
    desk = tmp_path_factory.mktemp("demo")
    # Of schema 1: its threshold is not in its weights.
    model = write_bright(desk / "bright.onnx", replace(SPEC, outer_threshold=0.4))
    # A proxy that nobody answers at: the page must not need one, and nothing may be asked of it.
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    program = started(model, "--port", 0, TMPDIR=str(desk), **proxies)
    lines = []
    for line in program.stderr:
        lines.append(line)
        if line.startswith("maskgen: http://"):
            break
    else:
        pytest.fail("".join(lines))
    yield line.split()[1], desk
    program.send_signal(signal.SIGTERM)
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out) == (0, ""), err
    assert "Traceback" not in err
    assert not list(desk.glob("maskgen-demo-*")), "uploads go with the program"


@pytest.fixture(scope="module")
def client(page):
    from gradio_client import Client

    return Client(page[0], verbose=False, download_files=page[1] / "answers")


def asked(client, path, template="surgical_black", blend="poisson", wear="correct"):
    from gradio_client import handle_file

    return client.predict(handle_file(str(path)), template, blend, wear, api_name="/mask")


def pixels(answered):
    return np.asarray(Image.open(answered).convert("RGB")).astype(int)


@pytest.mark.parametrize("wear", ["correct", "chin"])
def test_the_sample_is_masked_and_judged_on_the_page(client, wear):
    unmasked, before, masked, after, note = asked(client, PORTRAIT, wear=wear)
    differs = np.abs(pixels(unmasked) - pixels(masked)).max(axis=2) > 40
    assert 0.01 < differs.mean() < 0.5
    assert {each["label"] for each in before["confidences"]} == {"female", "male"}
    darker = [{each["label"]: each["confidence"] for each in told["confidences"]} for told in (before, after)]
    assert darker[1]["male"] < darker[0]["male"], "the mask is black"
    assert ("nose 100%" in note) == (wear == "correct")


def test_the_panel_and_the_text_say_the_same_class_and_percentage(client, tmp_path):
    dim = Image.open(PORTRAIT).convert("RGB")
    dim.point([round(105 + 0.1 * level) for level in range(256)] * 3).save(tmp_path / "dim.png")
    _, before, *_, note = asked(client, tmp_path / "dim.png")
    first = before["confidences"][0]
    assert before["label"] == first["label"] == "male", "between its threshold of 0.4 and 0.5"
    assert 0.5 < first["confidence"] < 0.6
    assert note.startswith(f"Unmasked male ({first['confidence']:.1%})")


def test_a_picture_without_a_face_and_a_file_that_is_no_picture_are_told_apart(client, tmp_path):
    from gradio_client.exceptions import AppError

    Image.new("RGB", (120, 120), (90, 90, 90)).save(tmp_path / "grey.png")
    _, label, masked, _, note = asked(client, tmp_path / "grey.png")
    assert (label["label"], masked) == ("no face found", None)
    assert note.startswith("Not masked: no face")
    (tmp_path / "cut.jpg").write_bytes(PORTRAIT.read_bytes()[:9000])
    with pytest.raises(AppError, match="truncated"):
        asked(client, tmp_path / "cut.jpg")


def test_a_file_of_more_than_the_limit_is_not_taken(client, tmp_path):
    (tmp_path / "large.jpg").write_bytes(PORTRAIT.read_bytes() + bytes(demo.LARGEST_FILE))
    with pytest.raises(Exception, match=r"413|exceed|size"):
        asked(client, tmp_path / "large.jpg")


def request(url, data=None, **headers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(
        url, data, {name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with opener.open(asked, timeout=30) as answered:
            return answered.status, answered.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_the_page_shows_the_samples_and_fetches_nothing_from_elsewhere(page):
    status, text = request(page[0])
    assert status == 200 and "eileen_collins_face.jpg" in text
    assert "fonts.googleapis.com" not in text and "cdnjs" not in text


def test_it_listens_on_this_machine_alone_and_under_no_other_name(page):
    url, _ = page
    assert url.startswith("http://127.0.0.1:")
    assert request(url, Host="evil.example")[0] == 400
    port = int(url.rpartition(":")[2])
    with socket.socket(socket.AF_INET) as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", port)) != 0


def upload(url, count=1, size=100, **headers):
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n%b\r\n'
    form = {"Content-Type": "multipart/form-data; boundary=x", **headers}
    return request(f"{url}/gradio_api/upload", part % bytes(size) * count + b"--x--\r\n", **form)[0]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 200),
        ({"Origin": "{}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 400),
        ({"Host": "[fe80::1]"}, 400),
        ({"count": 2}, 413),
        ({"count": 8, "size": 20 << 20}, 413),
        ({"size": demo_guard.LARGEST_REQUEST}, 413),
    ],
)
def test_an_upload_is_one_file_of_the_pages_own(page, form, status):
    url, desk = page
    form = {name: text.format(url) if isinstance(text, str) else text for name, text in form.items()}
    before = set(desk.rglob("a.jpg"))
    try:
        assert upload(url, **form) == status
    except urllib.error.URLError:
        # The answer came while the request was still being sent.
        assert status == 413
    assert (set(desk.rglob("a.jpg")) > before) == (status == 200 and not before)


def test_files_of_this_machine_are_not_served(page):
    url, desk = page
    for path in ("/etc/passwd", str(desk / "bright.onnx"), str(REPOSITORY / "README.md")):
        assert request(f"{url}/gradio_api/file={path}")[0] in (403, 404)


def test_a_port_that_is_taken_is_said(page, tmp_path):
    program = started(write_bright(tmp_path / "m.onnx"), "--port", page[0].rpartition(":")[2])
    _, err = program.communicate(timeout=60)
    assert program.returncode == 2
    assert "cannot listen on" in err and "Give another --port" in err
