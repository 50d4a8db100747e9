"""Run all pending shards, surviving worker crashes.

When a worker dies, the driver continues with half as many, down to a single separate process. When that one
dies too, its shards are processed one image at a time, and then all workers continue with the rest.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing

from maskgen.errors import LostWorkersError
from maskgen.run.shard_list import ShardList
from maskgen.run.state.run_dir import RunDir, Shard
from maskgen.run.state.shard_stats import ShardStats

# Called with shards, a number of processes, and whether a single worker must be a separate process; yields
# the stats of each shard when it is done.
RunShards = Callable[[Iterable[Shard], int, bool], Iterator[ShardStats]]

log = logging.getLogger("maskgen")


def run_shards(
    listing: ShardList,
    folder: RunDir,
    execute: RunShards,
    one_at_a_time: Callable[[Sequence[Shard]], Iterator[ShardStats]],
    processes: int,
    apart: bool,
    max_errors: int | None,
    progress: bool,
) -> None:
    """Process every pending shard of the list.

    Args:
        listing: The shard list of the run.
        folder: The run directory.
        execute: Processes shards in worker processes.
        one_at_a_time: Processes the shards over which a single process died, image by image.
        processes: Workers at the start.
        apart: Run a single worker in a separate process from the start.
        max_errors: Stop when more rows than this are unreadable or in error; None for no limit.
        progress: Show a progress bar on stderr if that is a terminal.
    """
    from tqdm import tqdm

    before = listing.counts()
    failed, statuses = before.failed, Counter(before.statuses)
    # An image may have killed the last run.
    alone = processes == 1
    current, apart = processes, alone and (apart or folder.has_leftovers())
    suspects: list[Shard] = []
    with tqdm(
        total=listing.samples,
        initial=before.samples,
        unit="image",
        file=sys.stderr,
        disable=not (progress and sys.stderr.isatty()),
    ) as bar:
        while max_errors is None or failed <= max_errors:
            listing.under_way.update({shard.index: shard for shard in suspects})
            work = one_at_a_time(suspects) if suspects else execute(listing.to_do(), current, apart)
            try:
                with closing(work) as results:  # type: ignore[type-var]
                    for stats in results:
                        listing.finished(stats)
                        failed += stats.counts.failed
                        statuses.update(stats.counts.statuses)
                        bar.total = listing.samples
                        bar.set_postfix(dict(statuses), refresh=False)
                        bar.update(stats.counts.samples)
                        if max_errors is not None and failed > max_errors:
                            return
                if not suspects:
                    return
                suspects, current, apart = [], processes, alone
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
