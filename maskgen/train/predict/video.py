"""Predict classes for the faces in each frame of a video file or a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from maskgen.errors import MissingDataError, UsageError
from maskgen.landmarks import FaceLandmarker
from maskgen.records import Image
from maskgen.train.model.classifier import Classifier
from maskgen.train.predict.faces import Said, annotated, predict_frame

CODECS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v", ".mov": "mp4v"}


def predict_video(
    classifier: Classifier,
    source: int | Path,
    landmarker: FaceLandmarker | None,
    out: Path | None = None,
    frames: int | None = None,
    show: Callable[[Image], bool] | None = None,
) -> Iterator[tuple[int, list[Said]]]:
    """Predict the classes of the faces in every frame.

    Args:
        classifier: The model.
        source: The number of a camera, or a video file.
        landmarker: Finds the faces; None classifies the whole frame.
        out: The annotated video to write; its suffix is one of `CODECS`.
        frames: Maximum number of frames.
        show: Called with each annotated frame; the video ends when it returns False.

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
            output = annotated(bgr, predictions) if out is not None or show is not None else bgr
            if out is not None:
                writer = writer or _open_writer(out, capture.get(cv2.CAP_PROP_FPS), bgr.shape[1::-1])
                writer.write(output)
            stop = show is not None and not show(output)
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
