"""Bad and odd inputs: each has its row, and the run goes on."""

import os
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image
from small_runs import face, landmark_file, masked, template_file, write_dataset, write_template

from maskgen import worker
from maskgen.claim import remove_run
from maskgen.datasets import get_dataset
from maskgen.errors import (
    LandmarkFileError,
    ModelError,
    OutputError,
)
from maskgen.landmarks.file import write_landmark_file
from maskgen.manifest import read_manifest
from maskgen.names import name_of
from maskgen.records import Landmarks
from maskgen.state import RunFolder


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces")


def rows_of(out):
    return {row.id: row for row in read_manifest(out / "manifest.jsonl")}


def write_pixels(path, size=(120, 140), mode="RGB", **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).integers(90, 170, (*size[::-1], 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(path, **how)


def _exif_turned(path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_pixels(path, size=(140, 120), exif=exif)


def _text(path):
    path.write_text("<html>404</html>")


def _truncated(path):
    write_pixels(path)
    path.write_bytes(path.read_bytes()[:900])


def _sixteen_bits(path):
    Image.fromarray(np.random.default_rng(1).integers(0, 65535, (140, 120), np.uint16)).save(path)


INPUTS = {
    # name: (how it is made, status, part of the reason, size of the written picture)
    "truncated.jpg": (_truncated, "unreadable", "truncated JPEG", None),
    "empty.jpg": (lambda path: path.write_bytes(b""), "unreadable", "empty", None),
    "page.jpg": (_text, "unreadable", "HTML", None),
    "png_named.jpg": (lambda path: write_pixels(path, format="PNG"), "masked", None, (120, 140)),
    "cmyk.jpg": (lambda path: write_pixels(path, mode="CMYK"), "masked", None, (120, 140)),
    "grey.jpg": (lambda path: write_pixels(path, mode="L"), "masked", None, (120, 140)),
    "sixteen.png": (_sixteen_bits, "masked", "reduced to 8", (120, 140)),
    "palette.png": (lambda path: write_pixels(path, mode="P"), "masked", None, (120, 140)),
    "rgba.png": (lambda path: write_pixels(path, mode="RGBA"), "masked", None, (120, 140)),
    "animation.gif": (write_pixels, "masked", None, (120, 140)),
    "turned.jpg": (_exif_turned, "masked", None, (120, 140)),
    "pixel.png": (lambda path: write_pixels(path, size=(1, 1)), "no_face", None, None),
    "wide.png": (lambda path: write_pixels(path, size=(12000, 150)), "masked", None, (12000, 150)),
    "small.png": (lambda path: write_pixels(path, size=(20, 24)), "too_small", "--min-face", None),
    "a folder.jpg": (lambda path: path.mkdir(), None, None, None),
    "pipe.jpg": (os.mkfifo, "unreadable", "pipe", None),
    "broken link.jpg": (lambda path: path.symlink_to("nowhere.jpg"), "unreadable", "file not found", None),
    "with space.jpg": (write_pixels, "masked", None, (120, 140)),
    "dots.in.the.name.JPG": (write_pixels, "masked", None, (120, 140)),
    "naïve 面具.jpg": (write_pixels, "masked", None, (120, 140)),
    os.fsdecode(b"latin\xe9.jpg"): (
        lambda path: write_pixels(path, format="JPEG"),
        "masked",
        None,
        (120, 140),
    ),
}


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory):
    """A run over `INPUTS`: (output folder, counts)."""
    root = tmp_path_factory.mktemp("odd") / "faces"
    root.mkdir()
    for name, (make, *_) in INPUTS.items():
        make(root / name)
    sizes = {"wide": (12000, 150), "small": (20, 24), "pixel": (1, 1)}
    rows = []
    for sample in get_dataset("folder").samples(root):
        size = sizes.get(sample.path.stem, (120, 140))
        points = face((120, 140) if size[0] > 120 else size).points
        rows.append((sample.id, size, [] if size == (1, 1) else [Landmarks(points, size)]))
    write_landmark_file(landmark_file(root), rows)
    write_template(template_file(root))
    out = root.with_name("out")
    return out, masked(root, out, label=None)


def test_every_odd_input_has_one_row(odd_run):
    out, counts = odd_run
    expected = {name for name, (_, status, *_) in INPUTS.items() if status}
    rows = list(read_manifest(out / "manifest.jsonl"))
    assert sorted(name_of(row.id) for row in rows) == sorted(expected)
    assert counts.rows == len(expected)


@pytest.mark.parametrize("name", [name for name, case in INPUTS.items() if case[1]])
def test_an_odd_input_becomes_what_it_should(odd_run, name):
    out, _ = odd_run
    _, status, reason, size = INPUTS[name]
    row = next(row for row in read_manifest(out / "manifest.jsonl") if name_of(row.id) == name)
    assert row.status == status, row.reason
    assert (reason or "") in (row.reason or "")
    if size is None:
        assert row.file_name is row.sha256 is row.width is None
        return
    assert (row.width, row.height) == size
    with Image.open(out / name_of(row.file_name)) as picture:
        assert picture.size == size


def test_a_folder_with_unreadable_names_can_be_removed_again(odd_run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(odd_run[0], out)
    remove_run(RunFolder(out))
    assert list(out.iterdir()) == []


class OddError(Exception):
    """An exception that nobody expects."""


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (cv2.error("OpenCV said no\n in two lines"), "error: OpenCV said no in two lines"),
        (MemoryError(), "MemoryError"),
        (ValueError("bad shape"), "ValueError: bad shape"),
        (OddError("odd"), "OddError: odd"),
    ],
)
def test_whatever_is_raised_over_one_picture_becomes_its_row(
    source, tmp_path, monkeypatch, caplog, raised, reason
):
    real = worker.mask_image

    def picky(image, faces, plans, templates, options):
        if faces and faces[0].landmarks.pose["roll"] > 7.5:
            raise raised
        return real(image, faces, plans, templates, options)

    monkeypatch.setattr(worker, "mask_image", picky)
    caplog.set_level("DEBUG", "maskgen")
    counts = masked(source, tmp_path / "out")
    row = rows_of(tmp_path / "out")["female/008.jpg"]
    assert counts.statuses == {"error": 1, "masked": 7, "no_face": 2}
    assert (row.status, row.file_name) == ("error", None)
    assert row.reason.startswith(reason)
    assert row.source["sha256"] is not None
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("raised", [ModelError("no model"), OSError(28, "No space left on device")])
def test_what_is_wrong_with_model_or_output_ends_the_run(source, tmp_path, monkeypatch, raised):
    def broken(*_, **__):
        raise raised

    monkeypatch.setattr(worker, "_find" if isinstance(raised, ModelError) else "write_outputs", broken)
    with pytest.raises(
        ModelError if isinstance(raised, ModelError) else OutputError, match=str(raised.args[-1])
    ):
        masked(source, tmp_path / "out")
    assert not RunFolder(tmp_path / "out").done()


def test_a_picture_the_landmark_file_does_not_know_is_an_error_of_that_picture(tmp_path):
    root = write_dataset(tmp_path / "faces", count=3)
    write_pixels(root / "new.jpg")
    masked(root, tmp_path / "out")
    row = rows_of(tmp_path / "out")["new.jpg"]
    assert (row.status, row.label) == ("error", None)
    assert "has no line for 'new.jpg'" in row.reason and "unlabelled: " in row.reason


def test_a_landmark_file_that_is_not_there_ends_the_run_before_it_begins(source, tmp_path):
    with pytest.raises(LandmarkFileError, match=r"absent\.jsonl"):
        masked(source, tmp_path / "out", landmarks=str(tmp_path / "absent.jsonl"))
    assert not (tmp_path / "out").exists()
