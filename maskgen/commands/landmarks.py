"""`maskgen landmarks`: the landmark model run once, for several datasets from the same sources."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_FILE, config_option, verbose_option
from maskgen.commands.shared.synth_options import dataset_options, landmark_options


@click.command(name="landmarks")
@dataset_options
@click.option("--out", type=ANY_FILE, required=True, help="The landmark file to write, JSON lines.")
@click.option(
    "--faces",
    type=click.Choice(("largest", "all")),
    help="Keep the largest face, or all, as `maskgen synth --faces all` needs.  [default: all where images "
    "commonly show several]",
)
@landmark_options
@click.option("-j", "--jobs", type=int, default=1, show_default=True, help="Processes; -1 takes every core.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@verbose_option
@config_option
def command(
    dataset: str,
    root: Path | None,
    image_root: Path | None,
    split: tuple[str, ...],
    limit: int | None,
    out: Path,
    faces: str | None,
    landmark_model: Path | None,
    detector: str,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a dataset's face landmarks to a file.

    `maskgen synth --landmarks FILE` then reads them instead of running the model, and gives the same bytes.
    """
    from maskgen.datasets import find_root, get_dataset
    from maskgen.datasets.table import with_image_root
    from maskgen.landmarks import LandmarkerSpec
    from maskgen.options import SynthOptions
    from maskgen.run.landmark_export import write_landmarks

    adapter = get_dataset(dataset)
    found = write_landmarks(
        with_image_root(adapter, image_root),
        find_root(adapter, root),
        out,
        options=SynthOptions(dataset, splits=split, limit=limit),
        spec=LandmarkerSpec(model_path=landmark_model, detector=detector),
        every_face=adapter.several_faces if faces is None else faces == "all",
        workers=jobs,
        progress=not quiet,
    )
    if as_json:
        click.echo(json.dumps({**asdict(found), "out": str(out)}))
    if not quiet:
        click.echo(
            f"{found.inputs:,} images: {found.with_face:,} with a face, {found.faces:,} faces, "
            f"{found.unreadable:,} unreadable; wrote {out}",
            err=True,
        )
