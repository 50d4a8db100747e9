"""`--weights imagenet`: where the files are; no image is read before it is known that they can be had."""

import urllib.error
from email.message import Message
from pathlib import Path

import pytest
from train_data import needs_train, row, write_masked

from maskgen.__main__ import main
from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import keras
from maskgen.train import session
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.build import build_model
from maskgen.train.model.weights import imagenet
from maskgen.train.model.weights.imagenet import check_weights_exist, imagenet_download

pytestmark = needs_train

# Backbones of every family; Keras has files of MobileNetV2 for several sizes.
ASKED = [
    *(("efficientnet_b0", 64), ("efficientnetv2_b1", 64), ("efficientnetv2_s", 64), ("mobilenet_v3", 64)),
    *(("mobilenet_v2", 64), ("mobilenet_v2", 96), ("mobilenet_v2", 128), ("resnet50_v2", 64)),
    ("inception_v3", 96),
]


class Asked(Exception):  # noqa: N818
    """What Keras would download."""


@pytest.mark.parametrize(("name", "size"), ASKED)
def test_the_file_is_the_one_that_keras_downloads(monkeypatch, name, size):
    def get_file(fname, origin, **_):
        raise Asked(fname, origin)

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with pytest.raises(Asked) as asked:
        BACKBONES[name].build(keras().Input((size, size, 3)), "imagenet")
    download = imagenet_download(name)
    assert asked.value.args == (download.file.name, download.url)


def test_every_backbone_has_a_file_a_package_or_none():
    without = []
    for name in BACKBONES:
        try:
            assert imagenet_download(name).url.startswith("https://")
        except UsageError:
            without.append(name)
    assert without == [*(f"efficientnet_lite{number}" for number in range(5)), "tiny-cnn"]


def test_the_folder_is_that_of_keras(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert imagenet_download("resnet50").file == tmp_path / ".keras" / "models" / "resnet50-0676ba61.pth"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "other"))
    assert imagenet_download("resnet50").folder == tmp_path / "other" / "models"


def answering(monkeypatch, error=None):
    """Let `urlopen` raise an error, or answer; returns the list of what it is asked."""
    asked = []

    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def urlopen(request, timeout):
        asked.append((request.get_method(), request.full_url, timeout))
        if error is not None:
            raise error
        return Answer()

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return asked


def http(code):
    return urllib.error.HTTPError("https://", code, "told so", Message(), None)


OFFLINE = urllib.error.URLError("no route to host")


def test_a_file_that_is_there_is_not_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    asked = answering(monkeypatch, OFFLINE)
    file = imagenet_download("efficientnet_b0").file
    file.parent.mkdir()
    file.write_bytes(b"")
    check_weights_exist("efficientnet_b0", "imagenet")
    assert not asked


@pytest.mark.parametrize(
    ("error", "refused"), [(None, False), (http(403), False), (http(404), True), (OFFLINE, True)]
)
def test_only_a_missing_file_or_network_is_an_error(monkeypatch, tmp_path, error, refused):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    asked = answering(monkeypatch, error)
    if not refused:
        check_weights_exist("efficientnetv2_s", "imagenet")
    else:
        with pytest.raises(ModelError) as raised:
            check_weights_exist("efficientnetv2_s", "imagenet")
        said = str(raised.value)
        url = "https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/efficientnetv2-s_notop.h5"
        assert url in said and str(tmp_path / "models" / "efficientnetv2-s_notop.h5") in said
        assert "--weights none" in said and "maskgen[lite0]" in said
        assert "\n" not in said
    assert asked == [("HEAD", imagenet_download("efficientnetv2_s").url, imagenet.ANSWER)]


def test_a_network_that_does_not_answer_is_not_waited_for(monkeypatch, tmp_path):
    import threading

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet, "NETWORK", 0.1)
    silence = threading.Event()
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: silence.wait(30))
    with pytest.raises(ModelError, match="no answer"):
        check_weights_exist("resnet50_v2", "imagenet")
    silence.set()


def test_train_fails_before_it_reads_an_image_and_leaves_no_run(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    answering(monkeypatch, OFFLINE)
    monkeypatch.setattr(session, "gather", lambda *_, **__: pytest.fail("images are read"))
    data = write_masked(tmp_path / "masked", [row("0.jpg"), row("1.jpg", "male")])
    run = tmp_path / "run"
    assert main(["train", str(data), "--backbone", "mobilenet_v3", "--out", str(run)]) == 2
    assert "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5" in capsys.readouterr().err
    assert not run.exists()


@pytest.mark.parametrize(
    ("weights", "error", "said"),
    [
        ("absent.pth", MissingDataError, "no such file"),
        ("net.pkl", ModelError, r"\.safetensors, or imagenet"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused_first(monkeypatch, tmp_path, weights, error, said):
    (tmp_path / "net.pkl").write_bytes(b"")
    with pytest.raises(error, match=said):
        check_weights_exist("mobilenet_v2", str(tmp_path / weights))


def test_a_download_that_breaks_off_is_told_with_its_address(monkeypatch):
    def offline(*_, **__):
        raise OSError("connection reset")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", offline)
    with pytest.raises(ModelError, match=r"connection reset\. Download https://.*resnet50v2_weights"):
        build_model("resnet50_v2", 2, size=64, weights="imagenet")
