"""Runs a function over many tasks on a Dask or Ray cluster that is there already, over a shared folder.

A few tasks a worker are under way at a time, and a result is handed on as soon as it is ready. What a worker
had in hand when it was lost goes to another one, by the cluster's own means; so a task may be begun twice,
and must leave the same whenever that happens.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from maskgen.results.run_record import versions
from maskgen.run.executors.dask_cluster import connect_dask
from maskgen.run.executors.ray_cluster import connect_ray
from maskgen.run.executors.remote_call import Cluster, OnWorker

# Tasks under way for each that the cluster can do at once: one is done, one waits.
_AHEAD = 2

Task = TypeVar("Task")
Result = TypeVar("Result")

log = logging.getLogger("maskgen")


def run_on_cluster(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    backend: str,
    scheduler: str | None,
    workers: int | None = None,
    needs: Sequence[Path] = (),
) -> Iterator[Result]:
    """Yields ``function(task)`` of each task as it is ready; closing the generator cancels the rest.

    Args:
        function: Must be picklable, as must the tasks.
        tasks: Consumed lazily. An exception it raises is raised here.
        backend: "dask" or "ray".
        scheduler: The cluster's address.
        workers: At most so many tasks at once; None takes all that the cluster has.
        needs: Files and folders that every worker must see.

    Raises:
        ConfigurationError: The backend's package is not installed.
        ClusterError: The cluster cannot be reached, went away, or has workers that cannot do the work.
    """
    connect = {"dask": connect_dask, "ray": connect_ray}[backend]
    call: OnWorker[Task, Result] = OnWorker(function, versions(), tuple(needs))
    with connect(scheduler) as cluster:
        under_way: set[Any] = set()
        waiting = iter(tasks)
        try:
            while True:
                room = workers or _AHEAD * _slots(cluster)
                for task in islice(waiting, max(0, room - len(under_way))):
                    under_way.add(cluster.submit(pickle.dumps((call, task))))
                if not under_way:
                    return
                for ticket in cluster.ready(list(under_way)):
                    result = cluster.result(ticket)
                    under_way.discard(ticket)
                    yield result
        finally:
            cluster.cancel(list(under_way))


def _slots(cluster: Cluster) -> int:
    slots = cluster.slots()
    if not slots:
        log.warning("the cluster has no worker; waiting for one")
    while not slots:
        time.sleep(0.5)
        slots = cluster.slots()
    return slots
