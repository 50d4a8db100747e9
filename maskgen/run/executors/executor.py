"""Run a function over many tasks: in this process, in joblib workers, or on a cluster.

Results come in the order in which they are ready. Tasks are consumed lazily, as workers become free.
"""

import contextlib
import gc
import logging
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from maskgen.errors import LostWorkersError, UsageError
from maskgen.process import SELDOM, can_start_workers

__all__ = ["BACKENDS", "LostWorkersError", "interruptible", "run_tasks"]

BACKENDS = ("loky", "dask", "ray")

log = logging.getLogger("maskgen")

Task = TypeVar("Task")
Result = TypeVar("Result")


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int = 1,
    backend: str = "loky",
    scheduler: str | None = None,
    needs: Sequence[Path] = (),
    apart: bool = False,
) -> Iterator[Result]:
    """Yield ``function(task)`` of each task when it is ready; closing the generator ends the workers.

    Args:
        function: A function; picklable unless it is called in this process.
        tasks: Consumed lazily. What the iterator raises is raised here, after the tasks in progress.
        workers: Processes; 1 works in this one. On a cluster the maximum of parallel tasks; 1 takes all.
        backend: One of `BACKENDS`.
        scheduler: Address of the cluster's scheduler.
        needs: Files and folders that every worker of a cluster must see.
        apart: Run a single worker in a separate process, which may die without this one. It takes the
            tasks one by one, in order.

    Raises:
        LostWorkersError: A worker process died. Its result is lost; others may be too.
        UsageError: The backend is unknown.
        ConfigurationError: The backend's package is not installed.
        ClusterError: The cluster cannot be reached, or its workers are unsuitable.
    """
    if backend not in BACKENDS:
        raise UsageError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")
    if backend != "loky":
        from maskgen.run.executors.cluster import run_on_cluster

        most = workers if workers > 1 else None
        return run_on_cluster(
            function, tasks, backend=backend, scheduler=scheduler, workers=most, needs=needs
        )
    if (workers != 1 or apart) and not can_start_workers():
        log.warning(
            "worker processes need semaphores, which this system lacks (on Linux a /dev/shm that can be "
            "written); one process does the work"
        )
        workers, apart = 1, False
    if workers == 1:
        return _apart(function, tasks) if apart else (function(task) for task in tasks)
    return _parallel(function, tasks, workers)


def _start_quiet_tracker() -> None:
    """Start loky's process that removes semaphores which a run leaves, without its warnings.

    A worker that is still starting when a run ends tells it of semaphores that are gone by then: it would
    complain below the run's last line.
    """
    from joblib.externals.loky.backend import resource_tracker

    sys.warnoptions.append("ignore:resource_tracker")
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.pop()


def _apart(function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    _start_quiet_tracker()
    executor = ProcessPoolExecutor(max_workers=1, initializer=_start_worker)
    try:
        for task in tasks:
            yield executor.submit(function, task).result()
    except BrokenProcessPool as error:
        raise _lost(error) from error
    finally:
        executor.shutdown(wait=True, kill_workers=True)


def _lost(error: BaseException) -> LostWorkersError:
    # loky may report the signal or exit code.
    match = re.search(r"exit codes of the workers are \{(.+?)\}", str(error))
    return LostWorkersError(f"a worker process died{f' ({match[1]})' if match else ''}")


def _parallel(function: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    # joblib consumes the tasks in its own thread, where an exception would be lost.
    task_errors: list[BaseException] = []

    def calls() -> Iterator[Any]:
        call = joblib.delayed(function)
        try:
            for task in tasks:
                yield call(task)
        except BaseException as error:
            task_errors.append(error)

    _start_quiet_tracker()
    how = {"batch_size": 1, "pre_dispatch": "2*n_jobs", "max_nbytes": None, "initializer": _start_worker}
    results = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", **how)(calls())
    try:
        # Not `yield from`: it would close the results before the warning is silenced.
        for result in results:  # noqa: UP028
            yield result
    except BrokenProcessPool as error:
        raise _lost(error) from error
    finally:
        with warnings.catch_warnings():
            # joblib warns that closing early discards tasks in progress.
            warnings.simplefilter("ignore")
            results.close()
    if task_errors:
        raise task_errors[0]


def _start_worker() -> None:
    gc.set_threshold(*SELDOM)
    logging.basicConfig(format="maskgen: %(message)s", level=logging.WARNING)
    # Ctrl-C goes to every process of the terminal; the driver alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_when_orphaned, args=(os.getppid(),), daemon=True).start()


def _leave_when_orphaned(driver: int) -> None:
    """End this process soon after its driver was killed; loky would wait five minutes."""
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGTERM raise `KeyboardInterrupt` like SIGINT, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # Ignored signals stay ignored: a shell starts background jobs with SIGINT ignored.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
