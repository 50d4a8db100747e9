"""`maskgen export`: a trained model for other programs."""

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
    help="Which; may be repeated.",
)
@click.option(
    "--out", type=ANY_PATH, help="File or folder to write, for one format.  [default: beside the model]"
)
@click.option(
    "--sample",
    "samples",
    type=ANY_PATH,
    multiple=True,
    help="Compare on these images; may be repeated.  [default: those that ship with maskgen]",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON lines on stdout.")
@verbose_option
def command(
    model: Path, formats: tuple[str, ...], out: Path | None, samples: tuple[Path, ...], as_json: bool
) -> None:
    """Write a model as SavedModel, TFLite or ONNX.

    \b
    maskgen export runs/celeba-efficientnet_b0 --format onnx
    maskgen export runs/celeba-efficientnet_b0 --format onnx --format tflite --sample photo.jpg

    Each is held against Keras on images, and refused if a probability differs by more than 0.001. Classes,
    crop and threshold go inside or, for a SavedModel, beside it.
    """  # noqa: D301
    from maskgen.datasets.sample import SHIPS_IN
    from maskgen.errors import UsageError
    from maskgen.train.model.export import export

    if out is not None and len(formats) > 1:
        raise UsageError("--out names one file: give one --format with it")
    pictures = samples or tuple(sorted(SHIPS_IN.glob("*.jpg")))
    for format in formats:
        done = export(model, format, out, pictures)
        told = f"{done.path}: differs from Keras by {done.difference:.1g} at most on {done.pictures} images"
        click.echo(told + (", random ones" if done.drawn else ""), err=True)
        if as_json:
            click.echo(json.dumps({"format": format, "path": str(done.path), "difference": done.difference}))
