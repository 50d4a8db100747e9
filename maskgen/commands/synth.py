"""`maskgen synth`: write a masked copy of a dataset."""

from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared import parameters
from maskgen.commands.shared import synth_options as groups
from maskgen.commands.shared.help_sections import SectionedCommand
from maskgen.commands.shared.summary import print_summary
from maskgen.commands.shared.synth_options import DEFAULTS, synth_options
from maskgen.options import CHOICES, SAMPLES_IN_TAR
from maskgen.run.executors.executor import BACKENDS

_OUTPUT_HELP = {
    "--variants": "Number of masked copies of each image.",
    "--label": "Class label of each image: an attribute of the dataset, or wear, kind, template, identity, "
    "split or none.  [default: gender if the dataset has it]",
    "--layout": "Layout of the output: mirror keeps the source's folders and file names, folders uses "
    "split/label/ folders, webdataset writes tar shards.",
    "--pairs": "Also write the unmasked images, encoded the same way.",
    "--alpha": "Also write the alpha of each mask as a PNG.",
    "--shard-size": "Number of images in a shard. A shard is the unit of work and of resuming, and with "
    f"--layout webdataset one tar.  [default: {DEFAULTS.shard_size}, or {SAMPLES_IN_TAR:,} with webdataset]",
    "--landmarks": "Read landmarks from this file (see `maskgen landmarks`) instead of running the model.",
}
_output_options = parameters.option_table(
    _OUTPUT_HELP,
    vars(DEFAULTS),
    CHOICES,
    variants={"type": click.IntRange(min=1)},
    label={"default": None, "metavar": "ATTRIBUTE"},
    shard_size={"default": None, "type": click.IntRange(min=1)},
    landmarks={"default": None, "type": parameters.FILE},
)

_RUNNING_HELP = {
    "-j --jobs": "Number of worker processes; -1 uses all cores. On a cluster: the maximum number of "
    "workers; 1 or -1 uses all of them.",
    "--backend": "Where the workers run: loky starts processes on this machine, dask and ray use a cluster.",
    "--scheduler": "Address of the cluster, such as tcp://host:8786 for dask or host:6379 for ray.",
    "--shard": "Process only the I-th of N shares of the dataset, for job arrays. `maskgen merge` then "
    "combines the shares.",
    "--overwrite": "Delete the output of an earlier run in --out, and start again.",
    "--retry-failed": "Process images again that failed or could not be read.",
    "--accept-changes": "Resume although the dataset has changed: process shards again whose images, sources "
    "or labels are different.",
    "--max-errors": "Stop with exit code 1 when more images than this have failed.  [default: no limit]",
    "--image-timeout": "Time limit for each step of one image; a slower image gets the status error. 0 means "
    "no limit.",
    "--sync/--no-sync": "Flush each shard to disk (fsync) before it counts as done, to survive a power "
    "failure.",
    "--dry-run": "Print what would be done, and write nothing.",
}
_running_options = parameters.option_table(
    _RUNNING_HELP,
    jobs={"default": 1},
    backend={"type": click.Choice(BACKENDS), "default": "loky"},
    scheduler={"metavar": "URL"},
    shard={"type": parameters.share, "metavar": "I/N", "default": "1/1", "show_default": False},
    max_errors={"type": parameters.COUNT},
    image_timeout={"type": click.FloatRange(min=0), "metavar": "SECONDS", "default": 120.0},
    sync={"default": True},
)


# What `--help` shows.
SECTIONS = {
    "Images": {
        "--dataset": "celeba, lfw, ..., or folder, table, webdataset; see `maskgen datasets`",
        "--root": "where it is  [default: $MASKGEN_DATA/NAME, ./data/NAME or ./NAME]",
        "--split": "only train, validation or test",
        "--limit": "only the first N images",
    },
    "Masks": {
        "--template": "street, all, a name or kind; see `maskgen templates`  [default: street]",
        "--wear": "correct, nose-out, mouth-out or chin  [default: correct]",
        "--blend": "overlay or poisson (takes on the face's light)  [default: overlay]",
        "--color": "recolour: #rrggbb, a name or random",
        "--faces": "largest, all or center  [default: largest]",
        "--seed": "of all random choices  [default: 0]",
    },
    "Output": {
        "--out": "output folder  [default: masked/NAME]",
        "--variants": "masked copies of each image  [default: 1]",
        "--layout": "mirror, folders or webdataset  [default: mirror]",
        "--pairs": "also write the unmasked images",
        "--alpha": "also write the masks' alphas",
    },
    "Run": {
        "--jobs": "processes; -1 uses all cores  [default: 1]",
        "--overwrite": "replace an earlier result",
        "--dry-run": "only say what would be done",
    },
}


@click.command(name="synth", cls=SectionedCommand, sections=SECTIONS)
@groups.dataset_options
@click.option(
    "--files-from",
    "files",
    type=parameters.ANY_FILE,
    is_eager=True,
    metavar="LIST",
    help="Process only the images that this file names, one per line; - reads stdin. Without --dataset "
    "these can be any images below --root, by default the current folder.",
)
@click.option(
    "-0", "--null", is_flag=True, help="Names in LIST are separated by NUL, as `find -print0` writes them."
)
@click.option("--out", type=parameters.FOLDER, help="Output folder, or URL.  [default: masked/NAME]")
@groups.mask_options
@_output_options
@groups.landmark_options
@_running_options
@parameters.counts_option
@parameters.message_options
@parameters.config_option
def command(
    dataset: str,
    root: Path | None,
    files: Path | None,
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
    listed = None if files is None else read_list(parameters.read_input(files), source, null=null)
    label = adapter.label if label is None else label
    job_settings = {field.name: given.pop(field.name) for field in fields(Job) if field.name in given}
    workers, share, dry_run, engine = (given.pop(name) for name in ("jobs", "shard", "dry_run", "engine"))
    run_settings = {name: given.pop(name) for name in ("backend", "scheduler", "overwrite", "retry_failed")}
    options = synth_options(
        dataset,
        None if label == "none" else label,
        landmarks=str(landmarks or engine),
        files=None if listed is None else digest_of(listed),
        **given,
    )
    out = out or Path("masked") / dataset
    counts = run(
        Job(options, source, out, files=listed, **job_settings),
        workers=workers,
        share=share,
        dry_run=dry_run,
        progress=not quiet,
        report=partial(write_report, root=job_settings["image_root"] or source),
        **run_settings,
    )
    print_summary(counts, out, as_json, quiet or dry_run)
    if options.layout == "folders" and options.format == "webp" and not quiet:
        text = "Keras's image_dataset_from_directory skips WebP files; use --format jpeg for it"
        click.echo(text, err=True)
