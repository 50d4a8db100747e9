"""Run all pending shards, surviving worker crashes.

When a worker dies, the driver continues with half as many, down to a single separate process. When that one
dies too, its shards are processed one image at a time, and then all workers continue with the rest.
"""

from __future__ import annotations

import logging
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

from maskgen.errors import LostWorkersError
from maskgen.run.shard_list import ShardList
from maskgen.run.state.run_dir import RunDir, Shard
from maskgen.run.state.shard_records import ShardStats

log = logging.getLogger("maskgen")


def run_shards(
    listing: ShardList,
    folder: RunDir,
    execute: Callable[..., Iterator[ShardStats]],
    isolate: Callable[[Shard], ShardStats],
    *,
    workers: int,
    apart: bool,
    max_errors: int | None,
    progress: bool,
) -> None:
    """Process every pending shard of the list.

    Args:
        listing: The shard list of the run.
        folder: The run directory.
        execute: `maskgen.run.executors.executor.run_tasks` of the function that masks a shard.
        isolate: Masks a shard over which a single process died, image by image.
        workers: Workers at the start.
        apart: Run a single worker in a separate process from the start.
        max_errors: Stop when more rows than this are unreadable or in error; None for no limit.
        progress: Show a progress bar on stderr if that is a terminal.
    """
    from tqdm import tqdm

    counts, limit = listing.counts(), math.inf if max_errors is None else max_errors
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
            isolated = (isolate(shard) for shard in suspects)
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
