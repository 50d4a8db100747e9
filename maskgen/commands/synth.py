"""`maskgen synth`: write a masked copy of a dataset."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from maskgen.commands.shared.parameters import (
    FILE,
    FOLDER,
    Share,
    config_option,
    quiet_option,
    stacked,
    verbose_option,
)
from maskgen.commands.shared.summary import print_summary
from maskgen.commands.shared.synth_options import (
    dataset_options,
    dataset_writing_options,
    landmark_options,
    list_options,
    mask_options,
    synth_options,
)
from maskgen.run.executors.executor import BACKENDS

running_options = stacked(
    click.option(
        "-j",
        "--jobs",
        type=int,
        default=1,
        show_default=True,
        help="Number of worker processes; -1 uses all cores. On a cluster: the maximum number of workers; 1 "
        "or -1 uses all of them.",
    ),
    click.option(
        "--backend",
        type=click.Choice(BACKENDS),
        default="loky",
        show_default=True,
        help="Where the workers run: loky starts processes on this machine, dask and ray use a cluster.",
    ),
    click.option(
        "--scheduler",
        metavar="URL",
        help="Address of the cluster, such as tcp://host:8786 for dask or host:6379 for ray.",
    ),
    click.option(
        "--shard",
        type=Share(),
        default="1/1",
        help="Process only the I-th of N shares of the dataset, for job arrays. `maskgen merge` then "
        "combines the shares.",
    ),
    click.option(
        "--overwrite", is_flag=True, help="Delete the output of an earlier run in --out, and start again."
    ),
    click.option(
        "--retry-failed", is_flag=True, help="Process images again that failed or could not be read."
    ),
    click.option(
        "--accept-changes",
        is_flag=True,
        help="Resume although the dataset has changed: process shards again whose images, sources or labels "
        "are different.",
    ),
    click.option(
        "--max-errors",
        type=click.IntRange(min=0),
        help="Stop with exit code 1 when more than this number of images have failed.  [default: no limit]",
    ),
    click.option(
        "--image-timeout",
        type=click.FloatRange(min=0),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="Time limit for each step of one image; a slower image gets the status error. 0 means no limit.",
    ),
    click.option(
        "--sync/--no-sync",
        default=True,
        show_default=True,
        help="Flush each shard to disk (fsync) before it counts as done, to survive a power failure.",
    ),
    click.option("--dry-run", is_flag=True, help="Print what would be done, and write nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON on stdout."),
    quiet_option,
    verbose_option,
)


# Options that are fields of `maskgen.run.job.Job`, and those that are arguments of `maskgen.run.job.run`.
_JOB_SETTINGS = ("landmark_model", "image_root", "max_errors", "image_timeout", "accept_changes", "sync")
_RUN_SETTINGS = ("backend", "scheduler", "overwrite", "retry_failed", "dry_run")


@click.command(name="synth")
@dataset_options
@list_options
@click.option("--out", type=FOLDER, help="Output folder, or URL.  [default: masked/NAME]")
@mask_options
@dataset_writing_options
@click.option(
    "--landmarks",
    type=FILE,
    help="Read landmarks from this file (see `maskgen landmarks`) instead of running the model.",
)
@landmark_options
@running_options
@config_option
def command(
    dataset: str,
    root: Path | None,
    files: BinaryIO | None,
    null: bool,
    out: Path | None,
    label: str | None,
    landmarks: Path | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Create a masked copy of a face dataset.

    \b
    maskgen synth --dataset sample --blend poisson
    maskgen synth --dataset celeba --blend poisson --template all --wear correct=8 --wear nose-out=2 -j 8
    maskgen synth --dataset folder --root photos --faces all --pairs --alpha
    find photos -name '*.jpg' -print0 | maskgen synth --files-from - -0 --out masked/found

    The output folder holds the masked images, manifest.jsonl with a line for every input, maskgen.json,
    README.md (the dataset card) and preview.jpg. To resume an interrupted run, give the same command again.
    The sources are never changed.
    """  # noqa: D301
    from maskgen.datasets import find_root, get_dataset
    from maskgen.datasets.file_list import digest_of, read_list
    from maskgen.results.card import write_report
    from maskgen.run.job import Job, run

    adapter = get_dataset(dataset)
    if files is not None and root is None and dataset == "folder":
        root = Path()
    source = find_root(adapter, root)
    listed = None if files is None else read_list(files.read(), source, null=null)
    label = adapter.label if label is None else label
    job_settings = {name: given.pop(name) for name in _JOB_SETTINGS}
    run_settings = {name: given.pop(name) for name in _RUN_SETTINGS}
    workers, share = given.pop("jobs"), given.pop("shard")
    options = synth_options(
        dataset,
        None if label == "none" else label,
        landmarks="litert" if landmarks is None else str(landmarks),
        files=None if listed is None else digest_of(listed),
        **given,
    )
    out = out or Path("masked") / dataset
    counts = run(
        Job(options, source, out, files=listed, **job_settings),
        workers=workers,
        share=share,
        progress=not quiet,
        report=partial(write_report, root=job_settings["image_root"] or source),
        **run_settings,
    )
    print_summary(counts, out, as_json, quiet, dry_run=run_settings["dry_run"])
    if options.layout == "folders" and options.format == "webp" and not quiet:
        click.echo(
            "Keras's image_dataset_from_directory skips WebP files; use --format jpeg for it", err=True
        )
