"""Predict classes for the faces in image files, a video or a camera; write and show annotated images."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from maskgen.errors import MissingDataError, UnreadableImageError, UsageError
from maskgen.files.atomic import write_atomic
from maskgen.files.image_files import images
from maskgen.files.path_text import to_text
from maskgen.images.codec import encode
from maskgen.landmarks import FaceLandmarker
from maskgen.records import Image
from maskgen.results.layout import shortened
from maskgen.train.model.classifier import Classifier
from maskgen.train.predict.faces import Said, annotated, predict_file, predict_frame

TITLE = "maskgen"
_QUIT_KEYS = (27, ord("q"))  # 27 is Escape

# Without a screen, Qt aborts the whole process: a child process tries first.
_TRIAL = "import cv2; cv2.namedWindow('maskgen'); cv2.waitKey(1); cv2.destroyAllWindows()"

# The name of an image or the number of a frame, the predictions for its faces, and why it cannot be read.
Prediction = tuple[str | int, list[Said], str | None]

CODECS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v", ".mov": "mp4v"}


def _images_of(inputs: Iterable[Path]) -> dict[Path, str]:
    """The given files and all images below the given folders: path -> unique name.

    The name is the path relative to the given folder, or the name of the file. If two names are equal, all
    names are paths relative to the common parent folder of the inputs.
    """
    names: dict[Path, str] = {}
    for path in inputs:
        try:
            if path.is_dir():
                names |= {path / relative: relative for relative in images(path, follow_links=True)}
            elif path.exists():
                names[path] = path.name
            else:
                raise MissingDataError(f"{to_text(str(path))}: there is no such image or folder")
        except OSError as error:
            raise MissingDataError(f"{to_text(str(path))}: {error.strerror or error}") from error
    if len(set(names.values())) < len(names):
        absolute = {path: os.path.abspath(str(path)) for path in names}  # noqa: PTH100
        top = os.path.commonpath([os.path.dirname(each) for each in absolute.values()])  # noqa: PTH120
        # A file that is given twice is classified once.
        names = {path: name for name, path in {os.path.relpath(absolute[p], top): p for p in names}.items()}
    return names


def predict_images(
    classifier: Classifier,
    inputs: Iterable[Path],
    landmarker: FaceLandmarker | None,
    out: Path | None,
    display: bool = False,
) -> Iterator[Prediction]:
    """Predict the classes of the faces in the given files and in all images below the given folders.

    Annotated images are written below the folder `out`. With `display`, each is shown until a key is pressed.
    """
    names, targets = _images_of(inputs), {}
    sources = {path.resolve() for path in names}
    for path, name in names.items():
        folder, slash, file_name = name.rpartition("/")
        if out is not None:
            targets[path] = out / f"{folder}{slash}{shortened(f'{file_name}.png', name, '.png')}"
    if overwritten := [target for target in targets.values() if target.resolve() in sources]:
        raise UsageError(f"{overwritten[0]} is one of the inputs and would be overwritten; give another -o")
    for path in names:
        name = to_text(str(path))
        try:
            predictions, bgr = predict_file(classifier, path, landmarker)
        except UnreadableImageError as error:
            yield name, [], str(error)
            continue
        yield name, predictions, None
        canvas = annotated(bgr, predictions) if out is not None or display else bgr
        if out is not None:
            write_atomic(targets[path], encode(canvas).data)
        if display and not show(canvas, wait=True):
            return


def predict_video(
    classifier: Classifier,
    source: int | Path,
    landmarker: FaceLandmarker | None,
    out: Path | None = None,
    frames: int | None = None,
    display: bool = False,
) -> Iterator[Prediction]:
    """Predict the classes of the faces in every frame of a video file or a camera (its number).

    The annotated video is written to `out`; its suffix is one of `CODECS`. With `display`, it is also shown,
    until the user closes the window. `frames` is the maximum number of frames.
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
            yield number, predictions, None
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
