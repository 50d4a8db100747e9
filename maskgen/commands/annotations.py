"""`maskgen annotations`: a result's boxes and outlines for detectors and segmenters."""

from __future__ import annotations

from pathlib import Path

import click

from maskgen.commands.shared.parameters import FOLDER, verbose_option


@click.command(name="annotations")
@click.argument("source", metavar="OUT", type=FOLDER)
@click.option(
    "--format",
    "form",
    type=click.Choice(("coco", "yolo", "voc")),
    required=True,
    help="Which files: COCO's JSON, YOLO's text files with data.yaml, or Pascal VOC's XML.",
)
@click.option("--out", type=FOLDER, help="Where they go, outside of OUT.  [default: OUT-FORMAT]")
@click.option(
    "--outlines",
    type=click.Choice(("polygon", "rle", "none")),
    help="Outlines of the masks, from their alphas (`synth --alpha`).  [default: polygon in COCO, else none]",
)
@click.option(
    "--unmasked", is_flag=True, help="The unmasked images of `synth --pairs` too, with their faces."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@verbose_option
def command(
    source: Path, form: str, out: Path | None, outlines: str | None, unmasked: bool, quiet: bool
) -> None:
    """Write a result's face and mask boxes for detectors.

    Every face is an object of the class "face", and every mask one of the class of its wear: "mask-correct",
    "mask-nose-out", "mask-mouth-out" or "mask-chin"; "mask-unclear" where the measured coverage contradicts
    its wear. The boxes of the masks are those of their solid pixels
    where alphas were kept, and of all pixels that they touch where not.

    \b
    maskgen annotations masked/celeba --format coco --outlines rle
    """  # noqa: D301
    from maskgen.results.export.detection import write_annotations

    target = out or source.with_name(f"{source.name}-{form}")
    count = write_annotations(source, target, form, outlines, unmasked)
    if not quiet:
        click.echo(f"wrote {target}: {count:,} images", err=True)
