"""A shard over which process after process dies: which of its images does it, and the shard without them.

A crash in native code, and the end of a process for lack of memory, cannot be caught in that process. So each
image is masked alone in a process apart, which writes nothing; what dies twice is guilty. Then the shard
is done as ever, and the guilty have a row of status ``error``.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from maskgen.errors import LostWorkersError
from maskgen.records import Sample
from maskgen.run.executors.executor import run_tasks
from maskgen.run.pipeline import ShardTask, mask_samples
from maskgen.run.remote_run_dir import fetched
from maskgen.run.state.run_dir import Shard
from maskgen.run.state.shard_stats import ShardStats
from maskgen.run.state.time_limit import NOTE, TimeLimit, overdue_image, overdue_reason

# How often a shard is taken up again whose process died although each of its images does no harm alone.
_TRIES = 3

log = logging.getLogger("maskgen")


def mask_one_at_a_time(
    mask: Callable[[ShardTask, Shard], ShardStats], task: ShardTask, shards: Sequence[Shard]
) -> Iterator[ShardStats]:
    """Do shards that were under way when the last process died.

    Args:
        mask: `maskgen.run.shard.mask_shard`, or what does the same for a store.
        task: The run's.
        shards: Which.

    Raises:
        LostWorkersError: Processes go on dying over a shard, though no single image is to blame.
    """
    for shard in shards:
        yield _mask(mask, task, shard)


def _mask(mask: Callable[[ShardTask, Shard], ShardStats], task: ShardTask, shard: Shard) -> ShardStats:
    for _ in range(_TRIES):
        with tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
            guilty = _guilty(task, shard, Path(folder) / NOTE)
        for name, reason in guilty.items():
            log.warning("%s: %s", name, reason)
        try:
            (stats,) = run_tasks(partial(mask, replace(task, fatal=guilty)), [shard], apart=True)
        except LostWorkersError as error:
            lost = error
        else:
            return stats
    raise LostWorkersError(
        f"{lost} over the {len(shard.samples)} images from {shard.samples[0].id} on, though over none of "
        "them alone: the machine may lack memory; the same command goes on where this one stopped"
    )


def _guilty(task: ShardTask, shard: Shard, note: Path) -> dict[str, str]:
    """Id -> reason of each image over which a process dies, and a second one too."""
    survive = partial(_survive, task, note)
    found: dict[str, str] = {}
    samples = list(shard.samples)
    while samples:
        survived = 0
        try:
            for _ in run_tasks(survive, samples, apart=True):
                survived += 1
            break
        except LostWorkersError:
            samples = samples[survived:]
        # Who kills one process from outside should not find an innocent image condemned for it.
        try:
            list(run_tasks(survive, samples[:1], apart=True))
        except LostWorkersError as error:
            late = overdue_image(note) == samples[0].id
            died = f"it ended the process that masked it: {error}"
            found[samples[0].id] = overdue_reason(task.image_timeout) if late else died
        samples = samples[1:]
    return found


def _survive(task: ShardTask, note: Path, sample: Sample) -> None:
    with fetched([sample]) as here, TimeLimit(task.image_timeout, note) as limit:
        list(mask_samples(here, task, limit))
