"""Run all pending shards, surviving worker crashes.

When a worker dies, the driver continues with half as many, down to a single separate process. When that one
dies too, its shards are processed one image at a time, and then all workers continue with the rest.

A process can catch neither a crash in its native code nor the out-of-memory killer. Each image of such a
shard is therefore masked alone in a separate process that writes nothing. An image that kills two processes
gets a row of status ``error``, and the shard is processed without it.
"""

import logging
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from maskgen.errors import LostWorkersError
from maskgen.records import Sample
from maskgen.run.executors.executor import run_tasks
from maskgen.run.pipeline import ShardTask, mask_samples
from maskgen.run.remote_run_dir import fetched
from maskgen.run.shard_list import ShardList
from maskgen.run.state.run_dir import Shard
from maskgen.run.state.shard_records import ShardStats
from maskgen.run.state.time_limit import NOTE, TimeLimit, overdue_image, overdue_reason

# Attempts at a shard whose process dies although no image alone kills a process.
_TRIES = 3

log = logging.getLogger("maskgen")


def run_shards(
    listing: ShardList,
    execute: Callable[..., Iterator[ShardStats]],
    mask: Callable[[ShardTask, Shard], ShardStats],
    task: ShardTask,
    *,
    workers: int,
    apart: bool,
    max_errors: int | None,
    progress: bool,
) -> None:
    """Process every pending shard of the list.

    Args:
        listing: The shard list of the run.
        execute: `maskgen.run.executors.executor.run_tasks` of ``mask``, with the workers' settings.
        mask: `maskgen.run.shard.mask_shard` or `maskgen.run.remote_run_dir.mask_stored_shard`.
        task: The task of the run.
        workers: Workers at the start.
        apart: Run a single worker in a separate process from the start.
        max_errors: Stop when more rows than this are unreadable or in error; None for no limit.
        progress: Show a progress bar on stderr if that is a terminal.
    """
    from tqdm import tqdm

    folder, counts, limit = listing.folder, listing.counts(), math.inf if max_errors is None else max_errors
    failed, statuses = counts.failed, Counter(counts.statuses)
    is_single = workers == 1
    # An image may have killed the last run.
    current, apart = workers, is_single and (apart or folder.has_leftovers())
    suspects: list[Shard] = []
    show = progress and sys.stderr.isatty()
    with tqdm(
        total=listing.samples, initial=counts.samples, unit="image", file=sys.stderr, disable=not show
    ) as bar:
        while failed <= limit:
            listing.under_way.update({shard.index: shard for shard in suspects})
            isolated = (_mask_isolated(mask, task, shard) for shard in suspects)
            work = isolated if suspects else execute(listing.to_do(), workers=current, apart=apart)
            try:
                with closing(work) as results:  # type: ignore[type-var]
                    for stats in results:
                        listing.finished(stats)
                        failed += stats.counts.failed
                        statuses.update(stats.counts.statuses)
                        bar.total = listing.samples
                        bar.set_postfix(dict(statuses), refresh=False)
                        bar.update(stats.counts.samples)
                        if failed > limit:
                            return
                if not suspects:
                    return
                suspects, current, apart = [], workers, is_single
            except LostWorkersError as error:
                late = [image for index in listing.under_way for image in folder.settle(index)]
                if late:
                    log.warning("%s: a step took longer than --image-timeout; continuing", late[0])
                elif suspects:
                    raise
                elif apart:
                    suspects = list(listing.under_way.values())
                    log.warning("%s; continuing with one image at a time", error)
                else:
                    current, apart = max(1, current // 2), current <= 3
                    log.warning("%s; continuing with %d", error, current)
            finally:
                for index in list(listing.under_way):
                    folder.settle(index)
                listing.under_way.clear()


def _mask_isolated(
    mask: Callable[[ShardTask, Shard], ShardStats], task: ShardTask, shard: Shard
) -> ShardStats:
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
