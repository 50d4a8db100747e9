"""Run or resume a job: list the dataset, split it into shards, process each once, write the final files.

The bytes of the result depend only on the job, not on the number of workers, the backend, the shares of a
job array or the number of interruptions. No output therefore holds a time or a worker count.
"""

import os
import sys
from collections.abc import Mapping
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
from maskgen.landmarks import LandmarkerSpec, mediapipe_engines, model_files
from maskgen.options import SynthOptions
from maskgen.process import usable_cores
from maskgen.results.counts import Counts
from maskgen.results.layout import PACKED
from maskgen.results.output_files import check_apart, tar_suffix
from maskgen.run.driver import run_shards
from maskgen.run.dry_run import plan_dry_run
from maskgen.run.executors.executor import interruptible, run_tasks
from maskgen.run.finalize import Report, finalize
from maskgen.run.pipeline import ShardTask
from maskgen.run.remote_run_dir import mask_stored_shard, run_folder
from maskgen.run.resume import accept_changes, check_fingerprints, check_unchanged, forget_failed, numbers_of
from maskgen.run.shard import mask_shard
from maskgen.run.shard_list import ShardList, list_samples
from maskgen.run.state.output_claim import (
    check_claim,
    claimed,
    describe,
    locked,
    options_of,
    read_config,
)
from maskgen.run.state.run_dir import RunDir

__all__ = ["Counts", "Job", "merge", "run"]


@dataclass(frozen=True)
class Job:
    """The input, output and options of a run.

    Attributes:
        options: The options that affect the output bytes.
        root: The dataset's folder or file.
        out: The output folder, outside the dataset.
        landmark_model: A ``face_landmarker.task`` file, or None for the default model.
        max_errors: Stop when more rows than this are unreadable or in error; None for no limit.
        files: The images to process, from `maskgen.datasets.file_list.read_list`; None takes all.
        image_root: The folder of a table's images; None for the folder of the table.
        image_timeout: Seconds that each step of an image may take before its process is killed; 0 sets no
            limit. None also sets none, and runs a single worker in this process, where a hang blocks the run.
        accept_changes: Process shards again whose images, sources or labels have changed.
        sync: Flush each shard to the disk before it counts as done, to survive a power failure.
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
    """Mask a dataset, or resume a run.

    Args:
        job: The input, output and options.
        workers: Processes; -1 takes every core, and 1 works in this process unless ``job.image_timeout``
            is set. On a cluster the maximum of parallel tasks; 1 and -1 take the whole cluster.
        backend: One of `maskgen.run.executors.executor.BACKENDS`.
        scheduler: Address of a cluster's scheduler.
        share: (i, n), from 1: process only every n-th shard, for job arrays; `merge` writes the final files.
        overwrite: First remove the files of an earlier run from ``job.out``; other files stay.
        retry_failed: Process shards again that hold unreadable inputs or errors.
        progress: Report progress on stderr, with a bar if that is a terminal.
        dry_run: Count the work; write nothing and open no model.
        report: Called with ``job.out`` after all other files; writes the card and contact sheet.

    Returns:
        Counts over all finished shards, including those of earlier runs and other shares.

    Raises:
        ConfigurationError: ``job.out`` holds a run of another configuration, files of no run or an active
            run; or the dataset has changed since the run began and ``job.accept_changes`` is not set.
        MissingDataError: The dataset has no matching image.
        TooManyErrorsError: More than ``job.max_errors`` images failed.
        OutputError: ``job.out`` cannot be written; the same call resumes, as after a `KeyboardInterrupt`.
        LostWorkersError: Processes die, but over no single image.
    """
    if backend != "loky":
        # Cluster workers may have been started in any folder.
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
    if any(is_in_memory(path) for path in (sources, job.root, job.out)):
        job = replace(job, image_timeout=None)  # nothing may run in a separate process
    folder = run_folder(job.out, job.sync)
    spec = LandmarkerSpec(job.options.landmarks, job.landmark_model, job.options.detector)
    config = describe(job.options, job.root, spec, job.image_root)
    if dry_run:
        check_claim(folder, config, overwrite)
        return plan_dry_run(job.options, dataset, job.root, job.out, say=_say if progress else None)
    if overwrite and share != (1, 1):
        raise UsageError("--overwrite would remove the shards of other shares; run it once without --shard")
    if job.accept_changes and not overwrite:
        with interruptible(), output_errors(job.out):
            accept_changes(folder, config, job.options, dataset, job.root)
    with interruptible(), output_errors(job.out), claimed(folder, config, overwrite, share):
        if retry_failed:
            forget_failed(folder)
        listing = ShardList(job.options, dataset, job.root, folder, share)
        folder.forget(*listing.damaged)
        check_unchanged(listing, config)
        if listing.missing() != []:
            if progress and sys.stderr.isatty() and not is_compiled():
                _say("compiling kernels (first run of this version only, up to a minute)")
            mask = mask_stored_shard if is_remote(sources) or is_remote(job.out) else mask_shard
            task = _task(job, spec, config, dataset)
            needs = (sources, folder.folder / "config.json")
            run_shards(
                listing,
                partial(run_tasks, partial(mask, task), backend=backend, scheduler=scheduler, needs=needs),
                mask,
                task,
                workers=_processes(workers) if backend == "loky" else workers,
                apart=job.image_timeout is not None,
                max_errors=job.max_errors,
                progress=progress,
            )
        counts = listing.counts()
        if share == (1, 1) and listing.missing() == []:
            finalize(listing, config, report)
    _check_errors(counts, folder, job.max_errors)
    if share != (1, 1) and progress:
        _say(f"share {share[0]} of {share[1]} is done; when all are, run: maskgen merge {job.out}")
    return counts


def merge(out: Path, *, report: Report | None = None) -> Counts:
    """Write the final files of a run whose shards were processed by several jobs; ``report`` as for `run`.

    Raises:
        ConfigurationError: There is no run in ``out``, or shards are missing; the message names them.
    """
    folder = run_folder(out)
    config = read_config(folder)
    if config is None:
        raise ConfigurationError(
            f"{out} holds no run, or its config.json is damaged; expected an output folder of "
            "`maskgen synth`, which also repairs that file"
        )
    options, root, image_root = options_of(config), location(config["root"]), config.get("image_root")
    dataset = with_image_root(get_dataset(options.dataset), image_root and location(image_root))
    listing = ShardList(options, dataset, root, folder)
    check_fingerprints(listing, config)
    missing = listing.missing()
    if missing is None:
        raise ConfigurationError(f"no job has listed the whole dataset for {out} yet; run its shares first")
    if missing:
        raise ConfigurationError(
            f"{len(missing)} shards of {out} are not done: {numbers_of(missing)}. Run the shares they belong "
            "to (`maskgen synth --shard I/N` does the shards whose number leaves I-1 when divided by N)"
        )
    with interruptible(), output_errors(out), locked(folder):
        finalize(listing, config, report)
    return listing.counts()


def root_of(out: Path) -> Path | None:
    """The source folder of the run in ``out``; None if there is no run."""
    config = read_config(run_folder(out))
    return location(config.get("image_root") or config["root"]) if config else None


def _check_errors(counts: Counts, folder: RunDir, max_errors: int | None) -> None:
    if max_errors is not None and counts.failed > max_errors:
        manifest = folder.out / "manifest.jsonl"
        rows = manifest if manifest.exists() else folder.rows_path(0).parent / "*.jsonl"
        raise TooManyErrorsError(
            f"{counts.failed} images could not be read or ended in an error, more than --max-errors "
            f"{max_errors}; the rows in {rows} of status unreadable and error say why"
        )


def _task(job: Job, spec: LandmarkerSpec, config: Mapping[str, Any], dataset: FaceDataset) -> ShardTask:
    packs = job.options.layout == PACKED
    first = next(list_samples(job.options, dataset, job.root), None) if packs else None
    return ShardTask(
        options=job.options,
        out=job.out,
        config=config,
        landmarker=_absolute_spec(spec),
        several_faces=dataset.several_faces,
        folder=Path.cwd(),
        tar_suffix=tar_suffix(first, job.options.format) if first else None,
        sync=job.sync,
        image_timeout=job.image_timeout,
    )


def _absolute_spec(spec: LandmarkerSpec) -> LandmarkerSpec:
    """The spec with absolute paths, for a process in another folder and with another environment."""
    if spec.reads_file:
        return replace(spec, model=str(Path(spec.model).absolute()))
    variables = {"litert": model_files.VARIABLE, "tasks": mediapipe_engines.MODEL_VARIABLE}
    path = spec.model_path or os.environ.get(variables.get(spec.member, ""))
    return replace(spec, model_path=Path(path).absolute()) if path else spec


def _processes(workers: int) -> int:
    return workers if workers > 0 else max(1, usable_cores() + 1 + workers)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
