"""`maskgen synth`: a dataset in, a masked dataset out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from maskgen.commands.shared.parameters import FILE, FOLDER, Share, config_option, stacked, verbose_option
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
        help="Processes, or the most of a cluster's; -1 takes all.",
    ),
    click.option(
        "--backend",
        type=click.Choice(BACKENDS),
        default="loky",
        show_default=True,
        help="Where the work is done: in processes of this machine, or on a cluster.",
    ),
    click.option(
        "--scheduler",
        metavar="URL",
        help="Address of the cluster: tcp://host:8786 for Dask, host:6379 for Ray.",
    ),
    click.option(
        "--shard",
        type=Share(),
        default="1/1",
        help="Do only the I-th of N shares, for job arrays; `maskgen merge` joins them.",
    ),
    click.option(
        "--overwrite", is_flag=True, help="Remove what an earlier run wrote into OUT, and start anew."
    ),
    click.option(
        "--retry-failed", is_flag=True, help="Do again what ended in an error or could not be read."
    ),
    click.option(
        "--accept-changes",
        is_flag=True,
        help="Go on although the dataset changed: do those shards again whose images, sources or labels did.",
    ),
    click.option(
        "--max-errors",
        type=click.IntRange(min=0),
        help="Stop with exit code 1 once more images than this failed.  [default: no limit]",
    ),
    click.option(
        "--image-timeout",
        type=click.FloatRange(min=0),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="Give up an image, with the status error, when a step of it takes longer; 0 sets no limit.",
    ),
    click.option(
        "--sync/--no-sync",
        default=True,
        show_default=True,
        help="Write each shard through to the disk before it counts as done, so that it survives a power "
        "failure.",
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON on stdout."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
    verbose_option,
)


@click.command(name="synth")
@dataset_options
@list_options
@click.option("--out", type=FOLDER, help="Where the result goes: a path, or a URL.  [default: masked/NAME]")
@mask_options
@dataset_writing_options
@click.option("--landmarks", type=FILE, help="Read landmarks from this file instead of running the model.")
@landmark_options
@running_options
@config_option
def command(
    dataset: str,
    root: Path | None,
    image_root: Path | None,
    files: BinaryIO | None,
    null: bool,
    out: Path | None,
    label: str | None,
    landmarks: Path | None,
    landmark_model: Path | None,
    jobs: int,
    backend: str,
    scheduler: str | None,
    shard: tuple[int, int],
    overwrite: bool,
    retry_failed: bool,
    accept_changes: bool,
    max_errors: int | None,
    image_timeout: float,
    sync: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Mask a face dataset.

    \b
    maskgen synth --dataset sample --blend poisson
    maskgen synth --dataset celeba --blend poisson --template all --wear correct=8 --wear nose-out=2 -j 8
    maskgen synth --dataset folder --root photos --faces all --pairs --alpha
    find photos -name '*.jpg' -print0 | maskgen synth --files-from - -0 --out masked/found

    OUT gets the masked images, manifest.jsonl with a line for every input, maskgen.json, README.md (the
    dataset card) and preview.jpg. A run that was interrupted goes on when the same command is given again.
    The sources are only read.
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
    wanted = adapter.label if label is None else label
    options = synth_options(
        dataset,
        None if wanted == "none" else wanted,
        landmarks="mediapipe" if landmarks is None else str(landmarks),
        files=None if listed is None else digest_of(listed),
        **given,
    )
    out = out or Path("masked") / dataset
    counts = run(
        Job(
            options,
            source,
            out,
            landmark_model,
            max_errors,
            listed,
            image_root=image_root,
            image_timeout=image_timeout,
            accept_changes=accept_changes,
            sync=sync,
        ),
        workers=jobs,
        backend=backend,
        scheduler=scheduler,
        share=shard,
        overwrite=overwrite,
        retry_failed=retry_failed,
        progress=not quiet,
        dry_run=dry_run,
        report=partial(write_report, root=image_root or source),
    )
    print_summary(counts, out, as_json, quiet, dry_run=dry_run)
    if options.layout == "folders" and options.format == "webp" and not quiet:
        click.echo("Keras's loader of class folders leaves out WebP files; it reads --format jpeg", err=True)
