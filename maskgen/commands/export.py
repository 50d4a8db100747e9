"""`maskgen export`: convert a trained model to other formats."""

import json
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, option_table, verbose_option


@click.command(name="export")
@click.argument("model", type=ANY_PATH)
@option_table(
    {
        "--format formats": "Format to write. Can be repeated.",
        "--out": "File or folder to write, if there is one --format.  [default: beside the model]",
        "--sample samples": "Image to compare predictions on. Can be repeated.  [default: those that ship "
        "with maskgen]",
        "--json as_json": "Print a JSON line for each written file on stdout.",
    },
    formats={"type": click.Choice(("savedmodel", "tflite", "onnx")), "multiple": True, "required": True},
    out={"type": ANY_PATH},
    samples={"type": ANY_PATH, "multiple": True},
)
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
        path, difference, count = export(model, format, images, out)
        click.echo(f"{path}: differs from Keras by at most {difference:.1g} on {count} images", err=True)
        if as_json:
            click.echo(json.dumps({"format": format, "path": str(path), "difference": difference}))
