"""`maskgen predict`: classify the faces in images, a video or a camera stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, FILE, message_options, option_table
from maskgen.commands.shared.synth_options import landmark_options
from maskgen.errors import EXIT_TOO_MANY_ERRORS, UsageError

if TYPE_CHECKING:
    from maskgen.train.predict.faces import Said


@click.command(name="predict")
@click.argument("model", type=ANY_PATH)
@click.argument("inputs", nargs=-1, type=ANY_PATH)
@option_table(
    {
        "-o --out": "Folder for annotated images, or file for the annotated video.  [default: not written]",
        "--json as_json": "Print a JSON line for each image or frame.",
        "--detect/--no-detect": "Detect faces. --no-detect treats each whole image as one face.",
    },
    out={"type": ANY_PATH},
    detect={"default": True},
)
@landmark_options
@option_table(
    {
        "--video": "Classify the frames of this video instead of images.",
        "--camera": "Classify the frames of camera number N.",
        "--show": "Show the results in a window. Any key shows the next image; q or Escape quits.",
        "--frames": "Stop after N frames.  [default: all]",
    },
    video={"type": FILE},
    camera={"type": click.IntRange(min=0), "metavar": "N"},
    frames={"type": click.IntRange(min=1), "metavar": "N"},
)
@message_options
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
    **given: Any,
) -> int:
    """Classify the faces in images or a video.

    \b
    maskgen predict runs/celeba-efficientnet_b0 photo.jpg holiday/ -o annotated
    maskgen predict model.onnx photos --json --no-detect
    maskgen predict model.onnx --video walk.mp4 -o annotated.mp4
    maskgen predict model.onnx --camera 0 --show

    MODEL is a run folder, a .keras file, or an .onnx or .tflite file, which need no tensorflow. A model of
    --crop full answers for every image, also where no face is found. The exit code is 1 if an image could
    not be read.
    """  # noqa: D301
    from maskgen.landmarks import LandmarkerSpec, open_landmarker
    from maskgen.train.model.classifier import open_classifier
    from maskgen.train.predict.inputs import predict_images, predict_video, require_screen

    if bool(inputs) + (video is not None) + (camera is not None) != 1:
        raise UsageError("give either images, or --video FILE, or --camera N")
    if inputs and frames is not None:
        raise UsageError("--frames needs --video or --camera")
    if show:
        require_screen()
    classifier = open_classifier(model)

    with ExitStack() as stack:
        landmarker = None
        if detect:
            spec = LandmarkerSpec(given["engine"], given["landmark_model"], given["detector"])
            landmarker = stack.enter_context(closing(open_landmarker(spec)))
        if show:
            import cv2

            stack.callback(cv2.destroyAllWindows)
        source = video if video is not None else camera or 0
        results = (
            predict_images(classifier, inputs, landmarker, out, show)
            if inputs
            else predict_video(classifier, source, landmarker, out, frames, show)
        )
        code, total, faceless = 0, 0, 0
        for name, predictions, problem in results:
            code = EXIT_TOO_MANY_ERRORS if problem else code
            total += 1
            faceless += problem is None and not predictions
            reason = problem or (None if predictions else "no face found")
            if as_json:
                faces = [_as_dict(each, classifier.spec.classes) for each in predictions]
                line = {"frame" if isinstance(name, int) else "file": name, "faces": faces, "reason": reason}
                click.echo(json.dumps(line, ensure_ascii=False))
            elif problem is not None or not given["quiet"]:
                listing = ", ".join(f"{each.label} {each.probability:.1%}" for each in predictions)
                click.echo(f"{name}: {reason or listing}", err=reason is not None)
    if faceless and not given["quiet"]:
        kind = "images; --no-detect takes each whole image for a face" if inputs else "frames"
        click.echo(f"no face found in {faceless:,} of {total:,} {kind}", err=True)
    return code


def _as_dict(said: Said, classes: Sequence[str]) -> dict[str, Any]:
    probabilities = zip(classes, said.probabilities, strict=True)
    return {
        "label": said.label,
        "probability": round(said.probability, 6),
        "probabilities": {name: round(probability, 6) for name, probability in probabilities},
        "box": said.box and [round(float(value), 1) for value in said.box],
    }
