"""A whole dataset: lists it, cuts it into shards, has each done once, and goes on where it was interrupted.

The bytes of the result depend on the job alone: not on the number of workers, the backend, the shares of a
job array, nor on how often the run was killed. So nothing here writes a time or a count of workers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from maskgen.datasets import FaceDataset, get_dataset
from maskgen.datasets.file_list import chosen, refuse_own_output
from maskgen.datasets.table import with_image_root
from maskgen.errors import ConfigurationError, TooManyErrorsError, UsageError, output_errors
from maskgen.files.remote import check_workers, is_in_memory, is_remote, location
from maskgen.jit import is_compiled
from maskgen.landmarks import LandmarkerSpec
from maskgen.options import SynthOptions
from maskgen.process import usable_cores
from maskgen.results.counts import Counts
from maskgen.results.layout import PACKED
from maskgen.results.output_files import check_apart
from maskgen.results.run_record import fingerprint
from maskgen.results.tar_writer import tar_suffix
from maskgen.run.crash_isolation import mask_one_at_a_time
from maskgen.run.driver import run_shards
from maskgen.run.dry_run import plan_dry_run
from maskgen.run.executors.executor import interruptible, run_tasks
from maskgen.run.finalize import Report, finalize
from maskgen.run.pipeline import ShardTask
from maskgen.run.remote_run_dir import mask_stored_shard, run_folder
from maskgen.run.resume import accept_changes, check_unchanged, forget_failed, numbers_of, refuse_strangers
from maskgen.run.shard import mask_shard
from maskgen.run.shard_list import ShardList, list_samples
from maskgen.run.state.output_claim import (
    MODEL_VARIABLE,
    check_claim,
    claimed,
    describe,
    locked,
    options_of,
    read_config,
)
from maskgen.run.state.run_dir import RunDir, Shard
from maskgen.run.state.shard_stats import ShardStats

__all__ = ["Counts", "Job", "merge", "run"]


@dataclass(frozen=True)
class Job:
    """What is to be masked, and where to.

    Attributes:
        options: What decides the bytes.
        root: Where the dataset lies.
        out: The output folder; apart from the dataset.
        landmark_model: A ``face_landmarker.task`` file, or None for the default model.
        max_errors: Stop when more rows than this are unreadable or in error; None for no limit.
        files: The images that are taken, from `maskgen.datasets.file_list.read_list`; None takes all.
        image_root: Where the images of a table lie; None for the table's own folder.
        image_timeout: Seconds that each step of an image may take before its process is ended, 0 for no
            limit. None sets no limit either, and lets a single worker be this process, which a hang in
            native code then stops for ever.
        accept_changes: Do those shards again whose images, sources or labels changed since they were done.
        sync: Write each shard through to the disk before it counts as done, as a power failure demands.
    """

    options: SynthOptions
    root: Path
    out: Path
    landmark_model: Path | None = None
    max_errors: int | None = None
    files: tuple[str, ...] | None = None
    image_root: Path | None = None
    image_timeout: float | None = None
    accept_changes: bool = False
    sync: bool = True


def run(
    job: Job,
    *,
    workers: int = 1,
    backend: str = "loky",
    scheduler: str | None = None,
    share: tuple[int, int] = (1, 1),
    overwrite: bool = False,
    retry_failed: bool = False,
    progress: bool = True,
    dry_run: bool = False,
    report: Report | None = None,
) -> Counts:
    """Mask a dataset, or go on with it.

    Args:
        job: What to do.
        workers: Processes; -1 takes every core, and 1 works in this process unless ``job.image_timeout``
            is set. Of a cluster the most that are taken; all with 1 or -1.
        backend: One of `maskgen.run.executors.executor.BACKENDS`.
        scheduler: Address of a cluster's scheduler.
        share: (i, n), from 1: do only every n-th shard, for job arrays. Final files are then left to `merge`.
        overwrite: Remove what an earlier run wrote into ``job.out`` first; files of others stay.
        retry_failed: Do those shards again that hold unreadable inputs or errors.
        progress: Say on stderr what is being done, with a bar if that is a terminal.
        dry_run: Count what would be done; write nothing and open no model.
        report: Called with ``job.out`` when all other files are written; draws the card and contact sheet.

    Returns:
        Counts over all shards that are done, those of earlier runs and other shares included.

    Raises:
        ConfigurationError: ``job.out`` holds another configuration's run, or files that are no run's, or
            the dataset has changed since the run began and ``job.accept_changes`` is not set; or another run
            is at work there.
        MissingDataError: The dataset has no image that is asked for.
        TooManyErrorsError: There were more than ``job.max_errors``.
        OutputError: ``job.out`` cannot be written; the same call goes on where this one stopped.
        LostWorkersError: Processes die, and no single image is to blame.
        KeyboardInterrupt: SIGINT or SIGTERM; the same call goes on where this one stopped.
    """
    if backend != "loky":
        # Its workers were started in whatever folder.
        image_root = job.image_root and job.image_root.absolute()
        job = replace(job, root=job.root.absolute(), out=job.out.absolute(), image_root=image_root)
    dataset = with_image_root(get_dataset(job.options.dataset), job.image_root)
    if job.files is not None:
        dataset = chosen(dataset, job.files)
        refuse_own_output(job.files, job.root, job.out)
    for source in dataset.files(job.root) if dataset.files else [job.root]:
        check_apart(source, job.out)
    sources = job.image_root or job.root
    check_workers((sources, job.out), backend == "loky" and workers == 1)
    folder, spec = run_folder(job.out, job.sync), _landmarker_spec(job)
    config = describe(job.options, job.root, spec, job.image_root)
    if dry_run:
        check_claim(folder, config, overwrite)
        return plan_dry_run(job.options, dataset, job.root, job.out, say=_say if progress else None)
    if overwrite and share != (1, 1):
        raise UsageError("--overwrite would remove what other shares have done; run it once without --shard")
    if job.accept_changes and not overwrite:
        with interruptible(), output_errors(job.out):
            accept_changes(folder, config, job.options, dataset, job.root)
    with interruptible(), output_errors(job.out), claimed(folder, config, overwrite, share):
        if retry_failed:
            forget_failed(folder)
        listing = ShardList(job.options, dataset, job.root, folder, share)
        folder.forget(*listing.damaged)
        check_unchanged(folder, config, listing, dataset, job.root)
        if listing.missing() != []:
            mask = mask_stored_shard if is_remote(sources) or is_remote(job.out) else mask_shard
            task = _task(job, spec, config, dataset)
            if progress and sys.stderr.isatty() and not is_compiled():
                _say("the first faces wait while this machine compiles the loops, once: a minute or less")

            def engine(shards: Iterable[Shard], processes: int, apart: bool) -> Iterator[ShardStats]:
                return run_tasks(
                    partial(mask, task),
                    shards,
                    workers=processes,
                    backend=backend,
                    scheduler=scheduler,
                    needs=(sources, folder.folder / "config.json"),
                    apart=apart,
                )

            processes = _processes(workers) if backend == "loky" else workers
            one_at_a_time = partial(mask_one_at_a_time, mask, task)
            apart = job.image_timeout is not None and not _in_memory(job)
            run_shards(listing, folder, engine, one_at_a_time, processes, apart, job.max_errors, progress)
        counts = listing.counts()
        if share == (1, 1) and listing.missing() == []:
            made_with = config["templates"], report, config["landmark_model"]
            finalize(folder, listing.done, job.options, dataset, job.root, *made_with)
    _check_errors(counts, folder, job.max_errors)
    if share != (1, 1) and progress:
        _say(f"share {share[0]} of {share[1]} is done; when all are, run: maskgen merge {job.out}")
    return counts


def merge(out: Path, *, report: Report | None = None) -> Counts:
    """Write the final files of a run whose shards were done by several jobs.

    Args:
        out: The output folder they share.
        report: As for `run`.

    Raises:
        ConfigurationError: There is no run in ``out``, or shards are missing; the message names them.
    """
    folder = run_folder(out)
    config = read_config(folder)
    if config is None:
        raise ConfigurationError(
            f"{out} holds no run, or its config.json is damaged; expected a folder that "
            "`maskgen synth` wrote into, which also mends that file"
        )
    options, root, image_root = options_of(config), location(config["root"]), config.get("image_root")
    dataset = with_image_root(get_dataset(options.dataset), image_root and location(image_root))
    listing = ShardList(options, dataset, root, folder)
    refuse_strangers(folder, listing.done, config)
    missing = listing.missing()
    if missing is None:
        raise ConfigurationError(f"no job has listed the whole dataset for {out} yet; run its shares first")
    if missing:
        raise ConfigurationError(
            f"{len(missing)} shards of {out} are not done: {numbers_of(missing)}. Run the shares they belong "
            "to (`maskgen synth --shard I/N` does the shards whose number leaves I-1 when divided by N)"
        )
    with interruptible(), output_errors(out), locked(folder):
        made_with = config["templates"], report, config["landmark_model"]
        finalize(folder, listing.done, options, dataset, root, *made_with)
    return listing.counts()


def root_of(out: Path) -> Path | None:
    """Where the sources of the run in ``out`` lay; None if there is no run."""
    config = read_config(run_folder(out))
    return location(config.get("image_root") or config["root"]) if config else None


def _check_errors(counts: Counts, folder: RunDir, max_errors: int | None) -> None:
    if max_errors is None or counts.failed <= max_errors:
        return
    manifest = folder.out / "manifest.jsonl"
    rows = manifest if manifest.exists() else folder.rows_path(0).parent / "*.jsonl"
    raise TooManyErrorsError(
        f"{counts.failed} images could not be read or ended in an error, more than --max-errors "
        f"{max_errors}; the rows in {rows} of status unreadable and error say why"
    )


def _landmarker_spec(job: Job) -> LandmarkerSpec:
    options = job.options
    return LandmarkerSpec(options.landmarks, job.landmark_model, options.detector)


def _task(job: Job, spec: LandmarkerSpec, config: Mapping[str, Any], dataset: FaceDataset) -> ShardTask:
    return ShardTask(
        options=job.options,
        out=job.out,
        landmarker=_anywhere(spec),
        model_sha256=config["landmark_model"]["sha256"],
        fingerprint=fingerprint(config),
        templates=tuple(config["templates"].items()),
        several_faces=dataset.several_faces,
        folder=Path.cwd(),
        max_pixels=config["max_pixels"],
        tar_suffix=_tar_suffix(job, dataset),
        image_timeout=None if _in_memory(job) else job.image_timeout,
        sync=job.sync,
    )


def _in_memory(job: Job) -> bool:
    return any(is_in_memory(path) for path in (job.root, job.out, job.image_root) if path)


def _tar_suffix(job: Job, dataset: FaceDataset) -> str | None:
    if job.options.layout != PACKED:
        return None
    first = next(list_samples(job.options, dataset, job.root), None)
    return tar_suffix(first, job.options.format) if first else None


def _anywhere(spec: LandmarkerSpec) -> LandmarkerSpec:
    """The same, for a process that was started in another folder and with another environment."""
    if spec.reads_file:
        return replace(spec, model=str(Path(spec.model).absolute()))
    named = os.environ.get(MODEL_VARIABLE) if spec.member == "tasks" else None
    path = spec.model_path or named
    return replace(spec, model_path=Path(path).absolute()) if path else spec


def _processes(workers: int) -> int:
    return workers if workers > 0 else max(1, usable_cores() + 1 + workers)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
