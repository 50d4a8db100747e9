"""`maskgen predict`: classify the faces in images, a video or a camera stream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, FILE, verbose_option
from maskgen.errors import EXIT_TOO_MANY_ERRORS, UsageError
from maskgen.landmarks import DETECTORS

if TYPE_CHECKING:
    from maskgen.landmarks import FaceLandmarker
    from maskgen.train.model.classifier import Classifier
    from maskgen.train.predict.faces import Said


@click.command(name="predict")
@click.argument("model", type=ANY_PATH)
@click.argument("inputs", nargs=-1, type=ANY_PATH)
@click.option(
    "-o",
    "--out",
    type=ANY_PATH,
    help="Folder for annotated images, or file for the annotated video.  [default: not written]",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each image or frame.")
@click.option(
    "--detect/--no-detect",
    default=True,
    show_default=True,
    help="Detect faces. --no-detect treats each whole image as one face.",
)
@click.option(
    "--detector",
    type=click.Choice(DETECTORS),
    default=DETECTORS[0],
    show_default=True,
    help="Face detector: mediapipe's own, or OpenCV's Haar cascades.",
)
@click.option("--landmark-model", type=FILE, help="face_landmarker.task model file for mediapipe Tasks.")
@click.option("--video", type=FILE, help="Classify the frames of this video instead of images.")
@click.option(
    "--camera", type=click.IntRange(min=0), metavar="N", help="Classify the frames of camera number N."
)
@click.option(
    "--show",
    is_flag=True,
    help="Show the results in a window. Any key shows the next image; q or Escape quits.",
)
@click.option(
    "--frames", type=click.IntRange(min=1), metavar="N", help="Stop after N frames.  [default: all]"
)
@verbose_option
def command(
    model: Path,
    inputs: tuple[Path, ...],
    out: Path | None,
    as_json: bool,
    detect: bool,
    video: Path | None,
    camera: int | None,
    show: bool,
    frames: int | None,
    detector: str,
    **given: Any,
) -> int:
    """Classify the faces in images or a video.

    \b
    maskgen predict runs/celeba-efficientnet_b0 photo.jpg holiday/ -o annotated
    maskgen predict model.onnx photos --json --no-detect
    maskgen predict model.onnx --video walk.mp4 -o annotated.mp4
    maskgen predict model.onnx --camera 0 --show

    MODEL is a run folder, a .keras file, or an .onnx file, which needs no tensorflow. The exit code is 1
    if an image could not be read.
    """  # noqa: D301
    from maskgen.landmarks import LandmarkerSpec, open_landmarker
    from maskgen.train.model.classifier import open_classifier

    if bool(inputs) + (video is not None) + (camera is not None) != 1:
        raise UsageError("give either images, or --video FILE, or --camera N")
    if inputs and frames is not None:
        raise UsageError("--frames needs --video or --camera")
    if show:
        from maskgen.train.predict.window import require_screen

        require_screen()
    classifier = open_classifier(model)
    landmarker = None
    if detect:
        landmarker = open_landmarker(LandmarkerSpec(model_path=given["landmark_model"], detector=detector))
    try:
        if inputs:
            return _predict_images(classifier, inputs, landmarker, out, as_json, show)
        source = camera if camera is not None else video
        return _predict_video(classifier, source or 0, landmarker, out, as_json, frames, show)
    finally:
        if show:
            from maskgen.train.predict.window import close

            close()
        if landmarker is not None:
            landmarker.close()


def _predict_images(
    classifier: Classifier,
    inputs: Sequence[Path],
    landmarker: FaceLandmarker | None,
    out: Path | None,
    as_json: bool,
    show: bool,
) -> int:
    from maskgen.errors import UnreadableImageError
    from maskgen.files.atomic import write_atomic
    from maskgen.files.path_text import to_text
    from maskgen.images.codec import encode
    from maskgen.train.predict import window
    from maskgen.train.predict.faces import NO_FACE, annotated, images_of, predict_file

    unreadable = 0
    names = images_of(inputs)
    if out is not None:
        _check_targets(names, out)
    for path in names:
        name = to_text(str(path))
        try:
            predictions, bgr = predict_file(classifier, path, landmarker)
        except UnreadableImageError as error:
            unreadable += 1
            _print(name, [], classifier, as_json, str(error))
            continue
        _print(name, predictions, classifier, as_json, None if predictions else NO_FACE)
        canvas = annotated(bgr, predictions) if out is not None or show else bgr
        if out is not None:
            write_atomic(out / _target(names[path]), encode(canvas).data)
        if show and not window.show(canvas, wait=True):
            break
    return EXIT_TOO_MANY_ERRORS if unreadable else 0


def _target(name: str) -> str:
    """Path of an image's annotated copy, relative to the output folder."""
    from maskgen.results.layout import shortened

    folder, slash, file_name = name.rpartition("/")
    return f"{folder}{slash}{shortened(f'{file_name}.png', name, '.png')}"


def _check_targets(names: Mapping[Path, str], out: Path) -> None:
    """Refuse an output folder in which an annotated image would overwrite an input."""
    sources = {path.resolve() for path in names}
    for name in names.values():
        if (file := out / _target(name)).resolve() in sources:
            raise UsageError(f"{file} is one of the inputs and would be overwritten; give another -o")


def _predict_video(
    classifier: Classifier,
    source: int | Path,
    landmarker: FaceLandmarker | None,
    out: Path | None,
    as_json: bool,
    frames: int | None,
    show: bool,
) -> int:
    from maskgen.train.predict import window
    from maskgen.train.predict.faces import NO_FACE
    from maskgen.train.predict.video import predict_video

    display = (lambda bgr: window.show(bgr, wait=False)) if show else None
    for number, predictions in predict_video(classifier, source, landmarker, out, frames, display):
        _print(number, predictions, classifier, as_json, None if predictions else NO_FACE)
    return 0


def _print(
    name: str | int, predictions: Sequence[Said], classifier: Classifier, as_json: bool, reason: str | None
) -> None:
    if as_json:
        faces = [each.as_dict(classifier.spec.classes) for each in predictions]
        line: dict[str, Any] = {"frame" if isinstance(name, int) else "file": name, "faces": faces}
        click.echo(json.dumps({**line, "reason": reason}, ensure_ascii=False))
    elif predictions:
        click.echo(f"{name}: " + ", ".join(f"{each.label} {each.probability:.1%}" for each in predictions))
    else:
        click.echo(f"{name}: {reason}", err=True)
