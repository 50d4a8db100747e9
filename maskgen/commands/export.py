"""`maskgen export`: convert a trained model to other formats."""

import json
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, message_options, option_table
from maskgen.errors import ModelError, UsageError


@click.command(name="export")
@click.argument("model", type=ANY_PATH)
@option_table(
    {
        "--format formats": "Format to write. Can be repeated.",
        "--precision precisions": "Numbers of a TFLite file: float16 halves its size, int8 makes it a "
        "quarter and is calibrated on the samples. Can be repeated.  [default: float]",
        "--all every": "Write every format in every precision.",
        "--out": "File or folder to write, if it is one.  [default: beside the model]",
        "--sample samples": "Image, or folder of images, to compare predictions on and to calibrate int8 on, "
        "cropped as the model's input. Can be repeated.  [default: those that ship with maskgen]",
        "--json as_json": "Print a JSON line for each written file on stdout.",
    },
    formats={"type": click.Choice(("savedmodel", "tflite", "onnx")), "multiple": True},
    precisions={"type": click.Choice(("float", "float16", "int8")), "multiple": True},
    out={"type": ANY_PATH},
    samples={"type": ANY_PATH, "multiple": True},
)
@message_options
def command(
    model: Path,
    formats: tuple[str, ...],
    precisions: tuple[str, ...],
    every: bool,
    out: Path | None,
    samples: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> int:
    """Convert a model to SavedModel, TFLite or ONNX.

    \b
    maskgen export runs/celeba-efficientnet_b0 --format onnx
    maskgen export runs/celeba-efficientnet_b0 --format tflite --precision int8 --sample faces
    maskgen export runs/celeba-efficientnet_b0 --all

    Each converted model is run by its own runtime and compared with the Keras model. It is refused if a
    probability differs by more than 0.001, or for float16 and int8 if more than a tenth of the samples get
    another class. A line for each tells its size, its difference and its time for one image. Classes, crop
    and threshold are stored inside it; beside it, for a SavedModel.
    """  # noqa: D301
    from maskgen.datasets.sample import SHIPS_IN
    from maskgen.train.model.converters import CONVERTERS
    from maskgen.train.model.export import export, open_source

    if every == bool(formats):
        raise UsageError("give --format once or more, or --all")
    if precisions and (every or "tflite" not in formats):
        raise UsageError("--precision is for --format tflite")
    kinds = (
        list(CONVERTERS)
        if every
        else [
            (format, precision)
            for format in dict.fromkeys(formats)
            for precision in (dict.fromkeys(precisions or ("float",)) if format == "tflite" else ("float",))
        ]
    )
    if out is not None and len(kinds) > 1:
        raise UsageError("--out names one file: give only one --format and one --precision with it")
    source = open_source(model, samples or tuple(sorted(SHIPS_IN.glob("*.jpg"))))
    refused = []
    for format, precision in kinds:
        try:
            done = export(source, format, out=out, precision=precision)
        except ModelError as error:
            if not every:
                raise
            refused.append(error)
            click.echo(f"{format} {precision}: {error}", err=True)
            continue
        if not quiet:
            agreement = f", same class on {done.agreement:.1%}" if precision != "float" else ""
            click.echo(
                f"{done.path}: {done.bytes / 1e6:.1f} MB, {done.milliseconds:.1f} ms an image, differs from "
                f"Keras by at most {done.difference:.1g} on {done.images} images{agreement}",
                err=True,
            )
        if as_json:
            click.echo(json.dumps({**done._asdict(), "path": str(done.path)}, ensure_ascii=False))
    return refused[0].exit_code if refused else 0
