"""Frames of a video file or a camera, judged one after the other; no window is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    """Judge every frame.

    Args:
        classifier: The model.
        source: A camera's number, or a video file.
        landmarker: Finds the faces; None takes the whole frame for one.
        out: Where the annotated video goes: .mp4, .avi, .mkv or .mov; None writes none.
        frames: Stop after so many.
        show: Called with every annotated frame; the frame is the last one if it returns False.

    Yields:
        The frame's number from 0, and what was said of its faces.

    Raises:
        MissingDataError: There is no such camera or video, or it holds no frame.
        UsageError: The suffix of `out` names no kind of video, or `out` is the source.
    """
    if out is not None and out.suffix.lower() not in CODECS:
        raise UsageError(f"{out}: a video's name ends in {', '.join(CODECS)}")
    if out is not None and isinstance(source, Path) and out.exists() and out.samefile(source):
        raise UsageError(f"{out} is the video to be judged; give another -o")
    capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
    if not capture.isOpened():
        name = f"camera {source}" if isinstance(source, int) else str(source)
        raise MissingDataError(f"{name} cannot be opened as a video")
    writer: cv2.VideoWriter | None = None
    number = 0
    try:
        while frames is None or number < frames:
            there, frame = capture.read()
            if not there:
                break
            bgr = np.asarray(frame, dtype=np.uint8)
            said = predict_frame(classifier, bgr, landmarker)
            drawn = annotated(bgr, said) if out is not None or show is not None else bgr
            if out is not None:
                writer = writer or _writer(out, capture.get(cv2.CAP_PROP_FPS), bgr.shape[1::-1])
                writer.write(drawn)
            goes_on = show is None or show(drawn)
            yield number, said
            number += 1
            if not goes_on:
                break
    finally:
        capture.release()
        if writer is not None:
            writer.release()
    if not number:
        raise MissingDataError(f"{source} holds no frame")


def _writer(out: Path, rate: float, size: tuple[int, ...]) -> cv2.VideoWriter:
    out.parent.mkdir(parents=True, exist_ok=True)
    code = cv2.VideoWriter.fourcc(*CODECS[out.suffix.lower()])
    # Cameras say 0 where they do not know.
    writer = cv2.VideoWriter(str(out), code, rate if rate > 0 else 25.0, (size[0], size[1]))
    if not writer.isOpened():
        raise UsageError(f"{out}: OpenCV cannot write this kind of video here; try .avi")
    return writer
