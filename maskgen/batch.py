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

from maskgen.claim import MODEL_VARIABLE, check_claim, claimed, describe, options_of, read_config
from maskgen.cores import usable_cores
from maskgen.counts import Counts
from maskgen.datasets import FaceDataset, get_dataset
from maskgen.datasets.listed import chosen, refuse_own_output
from maskgen.engine import interruptible, run_tasks
from maskgen.errors import ConfigurationError, TooManyErrorsError, UsageError, output_errors
from maskgen.finish import Report, finish
from maskgen.forecast import forecast
from maskgen.guilty import mask_one_at_a_time
from maskgen.landmarks import LandmarkerSpec
from maskgen.listing import Listing
from maskgen.lock import locked
from maskgen.machine_code import is_compiled
from maskgen.manifest import fingerprint
from maskgen.options import SynthOptions
from maskgen.shard_stats import ShardStats
from maskgen.stages import Task
from maskgen.state import RunFolder, Shard
from maskgen.stored_run import mask_stored_shard, run_folder
from maskgen.stores import check_workers, is_remote, location
from maskgen.work_off import work_off
from maskgen.worker import mask_shard
from maskgen.writers import check_apart

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
        files: The pictures that are taken, from `maskgen.datasets.listed.read_list`; None takes all.
        sync: Write each shard through to the disk before it counts as done, as a power failure demands.
    """

    options: SynthOptions
    root: Path
    out: Path
    landmark_model: Path | None = None
    max_errors: int | None = None
    files: tuple[str, ...] | None = None
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
        workers: Processes; 1 works in this one, -1 takes every core. Of a cluster the most that are taken;
            all with 1 or -1.
        backend: One of `maskgen.engine.BACKENDS`.
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
            the dataset has changed since the run began; or another run is at work there.
        MissingDataError: The dataset has no picture that is asked for.
        TooManyErrorsError: There were more than ``job.max_errors``.
        OutputError: ``job.out`` cannot be written; the same call goes on where this one stopped.
        LostWorkersError: Processes die, and no single image is to blame.
        KeyboardInterrupt: SIGINT or SIGTERM; the same call goes on where this one stopped.
    """
    if backend != "loky":
        # Its workers were started in whatever folder.
        job = replace(job, root=job.root.absolute(), out=job.out.absolute())
    dataset = get_dataset(job.options.dataset)
    if job.files is not None:
        dataset = chosen(dataset, job.files)
        refuse_own_output(job.files, job.root, job.out)
    for source in dataset.files(job.root) if dataset.files else [job.root]:
        check_apart(source, job.out)
    check_workers((job.root, job.out), backend == "loky" and workers == 1)
    folder, spec = run_folder(job.out, job.sync), _landmarker_spec(job)
    config = describe(job.options, job.root, spec)
    if dry_run:
        check_claim(folder, config, overwrite)
        return forecast(job.options, dataset, job.root, job.out, say=_say if progress else None)
    if overwrite and share != (1, 1):
        raise UsageError("--overwrite would remove what other shares have done; run it once without --shard")
    with interruptible(), output_errors(job.out), claimed(folder, config, overwrite, share):
        if retry_failed:
            folder.forget(*(index for index, stats in folder.done().items() if stats.counts.failed))
        listing = Listing(job.options, dataset, job.root, folder, share)
        folder.forget(*listing.damaged)
        if listing.missing() != []:
            mask = mask_stored_shard if is_remote(job.root) or is_remote(job.out) else mask_shard
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
                    needs=(job.root, folder.folder / "config.json"),
                    apart=apart,
                )

            processes = _processes(workers) if backend == "loky" else workers
            one_at_a_time = partial(mask_one_at_a_time, mask, task)
            work_off(listing, folder, engine, one_at_a_time, processes, job.max_errors, progress)
        counts = listing.counts()
        if share == (1, 1) and listing.missing() == []:
            made_with = config["templates"], report, config["landmark_model"]
            finish(folder, listing.done, job.options, dataset, job.root, *made_with)
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
    options, root = options_of(config), location(config["root"])
    dataset = get_dataset(options.dataset)
    listing = Listing(options, dataset, root, folder)
    missing = listing.missing()
    if missing is None:
        raise ConfigurationError(f"no job has listed the whole dataset for {out} yet; run its shares first")
    if missing:
        names = ", ".join(map(str, missing[:20])) + (", ..." if len(missing) > 20 else "")
        raise ConfigurationError(
            f"{len(missing)} shards of {out} are not done: {names}. Run the shares they belong to "
            "(`maskgen synth --shard I/N` does the shards whose number leaves I-1 when divided by N)"
        )
    with interruptible(), output_errors(out), locked(folder):
        made_with = config["templates"], report, config["landmark_model"]
        finish(folder, listing.done, options, dataset, root, *made_with)
    return listing.counts()


def root_of(out: Path) -> Path | None:
    """Where the sources of the run in ``out`` lay; None if there is no run."""
    config = read_config(run_folder(out))
    return location(config["root"]) if config else None


def _check_errors(counts: Counts, folder: RunFolder, max_errors: int | None) -> None:
    if max_errors is None or counts.failed <= max_errors:
        return
    manifest = folder.out / "manifest.jsonl"
    rows = manifest if manifest.exists() else folder.rows_path(0).parent / "*.jsonl"
    raise TooManyErrorsError(
        f"{counts.failed} pictures could not be read or ended in an error, more than --max-errors "
        f"{max_errors}; the rows in {rows} of status unreadable and error say why"
    )


def _landmarker_spec(job: Job) -> LandmarkerSpec:
    options = job.options
    return LandmarkerSpec(options.landmarks, job.landmark_model, options.detector)


def _task(job: Job, spec: LandmarkerSpec, config: Mapping[str, Any], dataset: FaceDataset) -> Task:
    return Task(
        options=job.options,
        out=job.out,
        landmarker=_anywhere(spec),
        model_sha256=config["landmark_model"]["sha256"],
        templates=tuple(config["templates"].items()),
        several_faces=dataset.several_faces,
        folder=Path.cwd(),
        max_pixels=config["max_pixels"],
        fingerprint=fingerprint(config),
        sync=job.sync,
    )


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
