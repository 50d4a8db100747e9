"""Run a function over many tasks on an existing Dask or Ray cluster with a shared folder.

Each worker has a few tasks in progress, and a result is yielded as soon as it is ready. The cluster itself
gives the task of a lost worker to another one; a task may therefore start twice and must be idempotent.
"""

from __future__ import annotations

import logging
import pickle
import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from maskgen.errors import ClusterError
from maskgen.results.run_record import differences, versions
from maskgen.run.executors.dask_and_ray import Cluster, connect_dask, connect_ray

# Tasks in progress for each slot of the cluster: one runs, one waits.
_AHEAD = 2

Task = TypeVar("Task")
Result = TypeVar("Result")

_one_at_a_time = threading.Lock()

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
    """`maskgen.run.executors.executor.run_tasks` on a cluster; ``workers`` None takes the whole cluster."""
    connect: Any = {"dask": connect_dask, "ray": connect_ray}[backend]
    call = partial(_run_on_worker, function, versions(), needs)
    with connect(scheduler) as cluster:
        under_way: set[Any] = set()
        pending = iter(tasks)
        try:
            while True:
                room = workers or _AHEAD * _slots(cluster)
                for task in islice(pending, max(0, room - len(under_way))):
                    under_way.add(cluster.submit(pickle.dumps(partial(call, task))))
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


def _run_on_worker(
    function: Callable[[Task], Result],
    driver_versions: Mapping[str, str],
    needs: Sequence[Path],
    task: Task,
) -> Result:
    """Check that this worker has the driver's versions and folders, and return the function's result."""
    host = platform.node() or "unknown"
    if changes := differences(driver_versions, versions()):
        raise ClusterError(
            f"the worker on {host} has other versions than this process, and would write other bytes:\n  "
            + "\n  ".join(changes)
        )
    for path in needs:
        if not path.exists():
            raise ClusterError(
                f"the worker on {host} does not see {path}; source and output must lie in a folder "
                "that is mounted under the same path on every machine of the cluster"
            )
    # The landmark model is not thread-safe, and a worker may have several threads.
    with _one_at_a_time:
        return function(task)
