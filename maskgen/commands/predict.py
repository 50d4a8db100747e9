"""`maskgen predict`: images, a video or a camera in; boxes, classes and percentages out."""

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
    help="Folder for annotated images, or file for the annotated video.  [default: nowhere]",
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each image or frame.")
@click.option(
    "--detect/--no-detect",
    default=True,
    show_default=True,
    help="Look for faces, or take each whole image for one.",
)
@click.option(
    "--detector", type=click.Choice(DETECTORS), default=DETECTORS[0], show_default=True, help="What looks."
)
@click.option("--landmark-model", type=FILE, help="A face_landmarker.task file for mediapipe Tasks.")
@click.option("--video", type=FILE, help="Judge the frames of this video instead of images.")
@click.option("--camera", type=click.IntRange(min=0), metavar="N", help="Judge the frames of this camera.")
@click.option(
    "--show", is_flag=True, help="Show them in a window: any key for the next image, q or Escape ends."
)
@click.option("--frames", type=click.IntRange(min=1), help="Stop after so many frames.  [default: all]")
@verbose_option
def command(
    model: Path,
    inputs: tuple[Path, ...],
    out: Path | None,
    as_json: bool,
    detect: bool,
    detector: str,
    landmark_model: Path | None,
    video: Path | None,
    camera: int | None,
    show: bool,
    frames: int | None,
) -> int:
    """Say the class of faces in images or a video.

    \b
    maskgen predict runs/celeba-efficientnet_b0 photo.jpg holiday/ -o annotated
    maskgen predict model.onnx photos --json --no-detect
    maskgen predict model.onnx --video walk.mp4 -o annotated.mp4
    maskgen predict model.onnx --camera 0 --show

    MODEL is a run folder, a .keras file, or an .onnx file, which needs no tensorflow. Exits 1 if an image
    could not be read.
    """  # noqa: D301
    from maskgen.landmarks import LandmarkerSpec, open_landmarker
    from maskgen.train.model.classifier import open_classifier

    if bool(inputs) + (video is not None) + (camera is not None) != 1:
        raise UsageError("give images, or --video FILE, or --camera N: one of the three")
    if inputs and frames is not None:
        raise UsageError("--frames is for --video and --camera")
    if show:
        from maskgen.train.predict.window import require_screen

        require_screen()
    classifier = open_classifier(model)
    landmarker = None
    if detect:
        landmarker = open_landmarker(LandmarkerSpec(model_path=landmark_model, detector=detector))
    try:
        if inputs:
            return _pictures(classifier, inputs, landmarker, out, as_json, show)
        source = camera if camera is not None else video
        return _video(classifier, source or 0, landmarker, out, as_json, frames, show)
    finally:
        if show:
            from maskgen.train.predict.window import close

            close()
        if landmarker is not None:
            landmarker.close()


def _pictures(
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

    failed = 0
    names = images_of(inputs)
    if out is not None:
        _check_targets(names, out)
    for path in names:
        name = to_text(str(path))
        try:
            said, bgr = predict_file(classifier, path, landmarker)
        except UnreadableImageError as error:
            failed += 1
            _print(name, [], classifier, as_json, str(error))
            continue
        _print(name, said, classifier, as_json, None if said else NO_FACE)
        drawn = annotated(bgr, said) if out is not None or show else bgr
        if out is not None:
            write_atomic(out / _target(names[path]), encode(drawn).data)
        if show and not window.show(drawn, wait=True):
            break
    return EXIT_TOO_MANY_ERRORS if failed else 0


def _target(name: str) -> str:
    """Where the annotated copy of an image goes below the output folder."""
    from maskgen.results.layout import shortened

    folder, slash, own = name.rpartition("/")
    return f"{folder}{slash}{shortened(f'{own}.png', name, '.png')}"


def _check_targets(names: Mapping[Path, str], out: Path) -> None:
    """See before the first image is judged that none would be written over a source."""
    sources = {path.resolve() for path in names}
    for name in names.values():
        if (file := out / _target(name)).resolve() in sources:
            raise UsageError(f"{file} is one of the images to be judged; give another -o")


def _video(
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

    shown = (lambda bgr: window.show(bgr, wait=False)) if show else None
    for number, said in predict_video(classifier, source, landmarker, out, frames, shown):
        _print(number, said, classifier, as_json, None if said else NO_FACE)
    return 0


def _print(
    name: str | int, said: Sequence[Said], classifier: Classifier, as_json: bool, reason: str | None
) -> None:
    if as_json:
        faces = [each.as_dict(classifier.spec.classes) for each in said]
        line: dict[str, Any] = {"frame" if isinstance(name, int) else "file": name, "faces": faces}
        click.echo(json.dumps({**line, "reason": reason}, ensure_ascii=False))
    elif said:
        click.echo(f"{name}: " + ", ".join(f"{each.label} {each.probability:.1%}" for each in said))
    else:
        click.echo(f"{name}: {reason}", err=True)
