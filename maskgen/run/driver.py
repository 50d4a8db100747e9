"""Has every shard of a listing done, whatever becomes of the processes that do it.

Where a process dies, half as many go on, in the end a single one apart from this. Where that dies too, what
it was at is done one image at a time, and then all of them go on with the rest.
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

# Called with shards, a number of processes, and whether a single one is to be apart from this process; gives
# the shards' stats as they are done.
Engine = Callable[[Iterable[Shard], int, bool], Iterator[ShardStats]]

log = logging.getLogger("maskgen")


def run_shards(
    listing: ShardList,
    folder: RunDir,
    engine: Engine,
    one_at_a_time: Callable[[Sequence[Shard]], Iterator[ShardStats]],
    processes: int,
    apart: bool,
    max_errors: int | None,
    progress: bool,
) -> None:
    """Do what the listing says is to do.

    Args:
        listing: Hands out the shards and keeps account of them.
        folder: The run's folder.
        engine: Does shards.
        one_at_a_time: Does those over which a single process has died.
        processes: How many to begin with.
        apart: Have a single process be apart from this one from the beginning.
        max_errors: Stop when more rows than this are unreadable or in error; None for no limit.
        progress: Draw a bar on stderr if that is a terminal.
    """
    from tqdm import tqdm

    before = listing.counts()
    failed, statuses = before.failed, Counter(before.statuses)
    # What killed the last run may have been an image.
    alone = processes == 1
    going, apart = processes, alone and (apart or folder.has_leftovers())
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
            work = one_at_a_time(suspects) if suspects else engine(listing.to_do(), going, apart)
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
                suspects, going, apart = [], processes, alone
            except LostWorkersError as error:
                late = [image for index in listing.under_way for image in folder.settle(index)]
                if late:
                    log.warning("%s: a step took longer than --image-timeout; going on", late[0])
                elif suspects:
                    raise
                elif apart:
                    suspects = list(listing.under_way.values())
                    log.warning("%s; going on with one image at a time", error)
                else:
                    going, apart = max(1, going // 2), going <= 3
                    log.warning("%s; going on with %d", error, going)
            finally:
                for index in list(listing.under_way):
                    folder.settle(index)
                listing.under_way.clear()
