"""Crash isolation: find the images that kill a worker, and process the rest of the shard.

A process can catch neither a crash in its native code nor the out-of-memory killer. Each image is therefore
masked alone in a separate process that writes nothing. An image that kills two processes gets a row of status
``error``, and the shard is processed without it.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from maskgen.errors import LostWorkersError
from maskgen.records import Sample
from maskgen.run.executors.executor import run_tasks
from maskgen.run.pipeline import ShardTask, mask_samples
from maskgen.run.remote_run_dir import fetched
from maskgen.run.state.run_dir import Shard
from maskgen.run.state.shard_records import ShardStats
from maskgen.run.state.time_limit import NOTE, TimeLimit, overdue_image, overdue_reason

# Attempts at a shard whose process dies although no image alone kills a process.
_TRIES = 3

log = logging.getLogger("maskgen")


def mask_isolated(
    mask: Callable[[ShardTask, Shard], ShardStats], task: ShardTask, shard: Shard
) -> ShardStats:
    """Process a shard that was in progress when the last process died.

    Args:
        mask: `maskgen.run.shard.mask_shard` or `maskgen.run.remote_run_dir.mask_stored_shard`.
        task: The task of the run.
        shard: The shard.

    Raises:
        LostWorkersError: Processes keep dying over the shard, but over no single image.
    """
    for _ in range(_TRIES):
        with tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
            fatal = _find_fatal(task, shard, Path(folder) / NOTE)
        for name, reason in fatal.items():
            log.warning("%s: %s", name, reason)
        try:
            (stats,) = run_tasks(partial(mask, replace(task, fatal=fatal)), [shard], apart=True)
        except LostWorkersError as error:
            lost = error
        else:
            return stats
    raise LostWorkersError(
        f"{lost} over the {len(shard.samples)} images from {shard.samples[0].id} on, but over none of "
        "them alone: the machine may lack memory; run the same command again to continue"
    )


def _find_fatal(task: ShardTask, shard: Shard, note: Path) -> dict[str, str]:
    """Id -> reason of each image that kills two processes in a row."""
    mask = partial(_mask_alone, task, note)
    fatal: dict[str, str] = {}
    samples = list(shard.samples)
    while samples:
        survived = 0
        try:
            for _ in run_tasks(mask, samples, apart=True):
                survived += 1
            break
        except LostWorkersError:
            suspect, *samples = samples[survived:]
        # Run the suspect a second time: the first crash may have been an external kill.
        try:
            list(run_tasks(mask, [suspect], apart=True))
        except LostWorkersError as error:
            late = overdue_image(note) == suspect.id
            died = f"it ended the process that masked it: {error}"
            fatal[suspect.id] = overdue_reason(task.image_timeout) if late else died
    return fatal


def _mask_alone(task: ShardTask, note: Path, sample: Sample) -> None:
    with fetched([sample]) as local, TimeLimit(task.image_timeout, note) as limit:
        list(mask_samples(local, task, limit))
