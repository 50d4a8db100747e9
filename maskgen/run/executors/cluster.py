"""Run a function over many tasks on an existing Dask or Ray cluster with a shared folder.

Each worker has a few tasks in progress, and a result is yielded as soon as it is ready. The cluster itself
gives the task of a lost worker to another one; a task may therefore start twice and must be idempotent.
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

# Tasks in progress for each slot of the cluster: one runs, one waits.
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
    """Yield ``function(task)`` of each task when it is ready; closing the generator cancels the rest.

    Args:
        function: A picklable function.
        tasks: Picklable tasks, consumed lazily. An exception that the iterator raises is raised here.
        backend: "dask" or "ray".
        scheduler: Address of the cluster's scheduler.
        workers: Maximum of parallel tasks; None takes the whole cluster.
        needs: Files and folders that every worker must see.

    Raises:
        ConfigurationError: The backend's package is not installed.
        ClusterError: The cluster cannot be reached, disconnects, or has unsuitable workers.
    """
    connect = {"dask": connect_dask, "ray": connect_ray}[backend]
    call: OnWorker[Task, Result] = OnWorker(function, versions(), tuple(needs))
    with connect(scheduler) as cluster:
        under_way: set[Any] = set()
        pending = iter(tasks)
        try:
            while True:
                room = workers or _AHEAD * _slots(cluster)
                for task in islice(pending, max(0, room - len(under_way))):
                    under_way.add(cluster.submit(pickle.dumps((call, task))))
                if not under_way:
                    return
                for future in cluster.ready(list(under_way)):
                    result = cluster.result(future)
                    under_way.discard(future)
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
