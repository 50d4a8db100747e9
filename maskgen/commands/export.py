"""`maskgen export`: convert a trained model to other formats."""

from __future__ import annotations

import json
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, verbose_option


@click.command(name="export")
@click.argument("model", type=ANY_PATH)
@click.option(
    "--format",
    "formats",
    type=click.Choice(("savedmodel", "tflite", "onnx")),
    multiple=True,
    required=True,
    help="Format to write. Can be repeated.",
)
@click.option(
    "--out",
    type=ANY_PATH,
    help="File or folder to write, if there is one --format.  [default: beside the model]",
)
@click.option(
    "--sample",
    "samples",
    type=ANY_PATH,
    multiple=True,
    help="Image to compare predictions on. Can be repeated.  [default: those that ship with maskgen]",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each written file on stdout.")
@verbose_option
def command(
    model: Path, formats: tuple[str, ...], out: Path | None, samples: tuple[Path, ...], as_json: bool
) -> None:
    """Convert a model to SavedModel, TFLite or ONNX.

    \b
    maskgen export runs/celeba-efficientnet_b0 --format onnx
    maskgen export runs/celeba-efficientnet_b0 --format onnx --format tflite --sample photo.jpg

    Each converted model is compared with the Keras model, and refused if a probability differs by more than
    0.001. Classes, crop and threshold are stored inside it; beside it, for a SavedModel.
    """  # noqa: D301
    from maskgen.datasets.sample import SHIPS_IN
    from maskgen.errors import UsageError
    from maskgen.train.model.export import export

    if out is not None and len(formats) > 1:
        raise UsageError("--out names one file: give only one --format with it")
    images = samples or tuple(sorted(SHIPS_IN.glob("*.jpg")))
    for format in formats:
        exported = export(model, format, out, images)
        path, difference = exported.path, exported.difference
        kind = "random images" if exported.drawn else "images"
        line = f"{path}: differs from Keras by at most {difference:.1g} on {exported.pictures} {kind}"
        click.echo(line, err=True)
        if as_json:
            click.echo(json.dumps({"format": format, "path": str(path), "difference": difference}))
