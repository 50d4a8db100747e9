"""Predict classes for the faces in each frame of a video or a camera, and show images in a window."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from maskgen.errors import MissingDataError, UsageError
from maskgen.landmarks import FaceLandmarker
from maskgen.records import Image
from maskgen.train.model.classifier import Classifier
from maskgen.train.predict.faces import Said, annotated, predict_frame

TITLE = "maskgen"
_QUIT_KEYS = (27, ord("q"))  # 27 is Escape

# Without a screen, Qt aborts the whole process: a child process tries first.
_TRIAL = "import cv2; cv2.namedWindow('maskgen'); cv2.waitKey(1); cv2.destroyAllWindows()"

CODECS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v", ".mov": "mp4v"}


def predict_video(
    classifier: Classifier,
    source: int | Path,
    landmarker: FaceLandmarker | None,
    out: Path | None = None,
    frames: int | None = None,
    display: bool = False,
) -> Iterator[tuple[int, list[Said]]]:
    """Predict the classes of the faces in every frame.

    Args:
        classifier: The model.
        source: The number of a camera, or a video file.
        landmarker: Finds the faces; None classifies the whole frame.
        out: The annotated video to write; its suffix is one of `CODECS`.
        frames: Maximum number of frames.
        display: Show the annotated frames in a window, until the user closes it.

    Yields:
        The number of the frame from 0, and the predictions for its faces.
    """
    if out is not None and out.suffix.lower() not in CODECS:
        raise UsageError(f"{out}: the name of a video ends in {', '.join(CODECS)}")
    if out is not None and isinstance(source, Path) and out.exists() and out.samefile(source):
        raise UsageError(f"{out} is the video to be judged; give another -o")
    capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
    if not capture.isOpened():
        name = f"camera {source}" if isinstance(source, int) else str(source)
        raise MissingDataError(f"{name} cannot be opened as a video")
    writer: cv2.VideoWriter | None = None
    try:
        for number in count() if frames is None else range(frames):
            success, frame = capture.read()
            if not success:
                if not number:
                    raise MissingDataError(f"{source} has no frames")
                return
            bgr = np.asarray(frame, dtype=np.uint8)
            predictions = predict_frame(classifier, bgr, landmarker)
            output = annotated(bgr, predictions) if out is not None or display else bgr
            if out is not None:
                writer = writer or _open_writer(out, capture.get(cv2.CAP_PROP_FPS), bgr.shape[1::-1])
                writer.write(output)
            stop = display and not show(output, wait=False)
            yield number, predictions
            if stop:
                return
    finally:
        capture.release()
        if writer is not None:
            writer.release()


def _open_writer(out: Path, rate: float, size_wh: Sequence[int]) -> cv2.VideoWriter:
    out.parent.mkdir(parents=True, exist_ok=True)
    code = cv2.VideoWriter.fourcc(*CODECS[out.suffix.lower()])
    # The rate of some cameras is 0: unknown.
    writer = cv2.VideoWriter(str(out), code, rate if rate > 0 else 25.0, (size_wh[0], size_wh[1]))
    if not writer.isOpened():
        raise UsageError(f"{out}: OpenCV cannot write this kind of video here; try .avi")
    return writer


def require_screen() -> None:
    """Raise a `UsageError` with OpenCV's or Qt's reason if no window can be opened."""
    trial = subprocess.run([sys.executable, "-c", _TRIAL], capture_output=True, text=True, check=False)
    if trial.returncode:
        # The reason is the last line of a traceback, and the first line of Qt's output.
        lines = [line for line in trial.stderr.splitlines() if line.strip()] or ["no reason given"]
        reason = lines[-1 if "Traceback" in trial.stderr else 0].strip()
        raise UsageError(
            f"--show: there is no screen to open a window on ({reason}); -o writes to files instead"
        )


def show(bgr: Image, wait: bool) -> bool:
    """Show an image, (height, width, 3) uint8; `wait` for a key, or return at once.

    Returns:
        False if the user presses q or Escape or closes the window, else True.
    """
    cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    cv2.imshow(TITLE, bgr)
    while True:
        key = cv2.waitKey(50 if wait else 1) & 0xFF
        if key in _QUIT_KEYS or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return False
        if not wait or key != 0xFF:
            return True
