"""`maskgen landmarks`: run the landmark model once, for several `synth` runs on the same sources."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared import parameters
from maskgen.commands.shared.synth_options import dataset_options, landmark_options


@click.command(name="landmarks")
@dataset_options
@click.option("--out", type=parameters.ANY_FILE, required=True, help="Landmark file to write, in JSON lines.")
@click.option(
    "--faces",
    type=click.Choice(("largest", "all")),
    help="Keep only the largest face of each image, or all faces, as `maskgen synth --faces all` needs.  "
    "[default: all for datasets whose images often show several faces, otherwise largest]",
)
@landmark_options
@parameters.jobs_option
@parameters.counts_option
@parameters.message_options
@parameters.config_option
def command(
    dataset: str, root: Path | None, out: Path, faces: str | None, as_json: bool, quiet: bool, **given: Any
) -> None:
    """Write a dataset's face landmarks to a file.

    `maskgen synth --landmarks FILE` reads the file instead of running the model, and writes the same bytes.
    """
    from maskgen.datasets import find_root, get_dataset
    from maskgen.datasets.table import with_image_root
    from maskgen.landmarks import LandmarkerSpec
    from maskgen.options import SynthOptions
    from maskgen.run.landmark_export import write_landmarks

    adapter = get_dataset(dataset)
    counts = write_landmarks(
        with_image_root(adapter, given["image_root"]),
        find_root(adapter, root),
        out,
        options=SynthOptions(dataset, splits=given["split"], limit=given["limit"]),
        spec=LandmarkerSpec(given["engine"], given["landmark_model"], given["detector"]),
        every_face=adapter.several_faces if faces is None else faces == "all",
        workers=given["jobs"],
        progress=not quiet,
    )
    if as_json:
        click.echo(json.dumps({**asdict(counts), "out": str(out)}))
    if not quiet:
        click.echo(
            f"{counts.inputs:,} images: {counts.with_face:,} with a face, {counts.faces:,} faces, "
            f"{counts.unreadable:,} unreadable; wrote {out}",
            err=True,
        )
