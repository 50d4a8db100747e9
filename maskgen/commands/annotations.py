"""`maskgen annotations`: export boxes and outlines for detectors and segmenters."""

from pathlib import Path

import click

from maskgen.commands.shared.parameters import FOLDER, message_options


@click.command(name="annotations")
@click.argument("source", metavar="OUT", type=FOLDER)
@click.option(
    "--format",
    "form",
    type=click.Choice(("coco", "yolo", "voc")),
    required=True,
    help="Annotation format: COCO JSON, YOLO text files with data.yaml, or Pascal VOC XML.",
)
@click.option("--out", type=FOLDER, help="Folder to write, outside of OUT.  [default: OUT-FORMAT]")
@click.option(
    "--outlines",
    type=click.Choice(("polygon", "rle", "none")),
    help="Mask outlines, made from the alphas (`synth --alpha`).  [default: polygon for coco, else none]",
)
@click.option(
    "--unmasked", is_flag=True, help="Also include the unmasked images of `synth --pairs`, with face boxes."
)
@message_options
def command(
    source: Path, form: str, out: Path | None, outlines: str | None, unmasked: bool, quiet: bool
) -> None:
    """Export face and mask boxes as COCO, YOLO or Pascal VOC.

    Each face is an object of the class "face". Each mask is an object whose class tells how it is worn:
    "mask-correct", "mask-nose-out", "mask-mouth-out" or "mask-chin"; or "mask-unclear" if the measured
    coverage contradicts this. The box of a mask encloses its solid pixels if OUT has alphas, otherwise all
    pixels that the mask touches.

    \b
    maskgen annotations masked/celeba --format coco --outlines rle
    """  # noqa: D301
    from maskgen.results.export.detection import write_annotations

    target = out or source.with_name(f"{source.name}-{form}")
    count = write_annotations(source, target, form, outlines, unmasked)
    if not quiet:
        click.echo(f"wrote {target}: {count:,} images", err=True)
