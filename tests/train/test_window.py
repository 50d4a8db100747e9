"""``predict --show``: a window for images and frames, and words where there is no screen."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from train_data import jpeg, write

from maskgen.__main__ import main
from maskgen.train.model import classifier as classifier_module
from maskgen.train.model.classifier import Classifier
from maskgen.train.predict import inputs
from maskgen.train.spec import ModelSpec

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def screen(monkeypatch):
    """A screen of our own: what was shown on it, and the keys to be pressed (None closes the window)."""
    shown, keys = [], []
    pressed = {"closed": False}

    def wait(milliseconds):
        key = keys.pop(0) if keys else -1
        pressed["closed"] = key is None
        return -1 if key is None else key if isinstance(key, int) else ord(key)

    monkeypatch.setattr(inputs, "require_screen", lambda: None)
    monkeypatch.setattr(cv2, "namedWindow", lambda title, flags: None)
    monkeypatch.setattr(cv2, "imshow", lambda title, bgr: shown.append(bgr.copy()))
    monkeypatch.setattr(cv2, "waitKey", wait)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda title, which: 0.0 if pressed["closed"] else 1.0)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: shown.append(None))
    spec = ModelSpec(("female", "male"), 32, "full", 0.25, None, None, "tiny-cnn")
    model = Classifier("same", Path("m.onnx"), spec, lambda images: np.tile((0.25, 0.75), (len(images), 1)))
    monkeypatch.setattr(classifier_module, "open_classifier", lambda path: model)
    return shown, keys


@pytest.mark.parametrize(
    ("keys", "pictures"), [((-1, "n", -1, -1, " ", "x"), 3), (("n", "q"), 2), ((27,), 1), ((None,), 1)]
)
def test_each_picture_stays_until_a_key_and_q_escape_or_closing_ends(
    keys, pictures, screen, tmp_path, capsys
):
    shown, pressed = screen
    pressed.extend(keys)
    for number in range(3):
        write(tmp_path / f"{number}.jpg", jpeg(number, size=(160, 120)))
    assert main(["predict", "m", str(tmp_path), "--no-detect", "--show"]) == 0
    assert [None if each is None else each.shape for each in shown] == [(120, 160, 3)] * pictures + [None]
    assert capsys.readouterr().out.count("male 75.0%") == pictures


@pytest.mark.parametrize(("keys", "frames"), [((), 5), ((-1, -1, "q"), 3), ((-1, None), 2)])
def test_frames_run_on_until_the_end_or_q(keys, frames, screen, tmp_path, capsys):
    shown, pressed = screen
    pressed.extend(keys)
    path = str(tmp_path / "walk.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for number in range(5):
        writer.write(np.full((120, 160, 3), 40 * number, np.uint8))
    writer.release()
    out = tmp_path / "told.avi"
    assert main(["predict", "m", "--video", path, "--no-detect", "--show", "-o", str(out)]) == 0
    assert len(shown) == frames + 1 and shown[-1] is None
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FRAME_COUNT) == frames
    assert len(capsys.readouterr().out.splitlines()) == frames


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a screen")
@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":77"}], ids=["none", "one that is not there"])
def test_without_a_screen_it_is_said_before_anything_is_opened(display, tmp_path):
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    known = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "maskgen", "predict", "absent.onnx", "--camera", "0", "--show"]
    done = subprocess.run(
        command,
        env={**known, "PYTHONPATH": str(REPOSITORY), **display},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("maskgen: error: --show: there is no screen to open a window on (")
    assert "-o writes to files instead" in done.stderr and done.stderr.count("\n") == 1
