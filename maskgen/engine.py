"""Runs a function over many tasks: in this process, in others, or on a cluster, by joblib.

The results come in whatever order they are ready. Tasks are taken from their iterator as workers get free,
so that a million of them are never held at once.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

from maskgen.errors import ConfigurationError, UsageError

BACKENDS = ("loky", "dask", "ray")

# What joblib can return one by one; ray gives a list when all is done.
_STREAMING = ("loky", "dask")

Task = TypeVar("Task")
Result = TypeVar("Result")

log = logging.getLogger("maskgen")


class LostWorkersError(Exception):
    """A worker process died: of memory, of a crash in native code, or because someone killed it."""


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int = 1,
    backend: str = "loky",
    scheduler: str | None = None,
) -> Iterator[Result]:
    """Yields ``function(task)`` of each task as it is ready; closing the generator ends the workers.

    Args:
        function: Must be picklable unless ``workers`` is 1.
        tasks: Consumed lazily. An exception it raises is raised here, after what was under way is done.
        workers: Processes; 1 works in this one. A cluster has its own number.
        backend: One of `BACKENDS`.
        scheduler: Address of the cluster's scheduler.

    Raises:
        LostWorkersError: A worker process died. What it was at is lost, other results may be too.
        UsageError: There is no such backend.
        ConfigurationError: What the backend needs is not installed.
    """
    if backend not in BACKENDS:
        raise UsageError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")
    if backend == "loky" and workers == 1:
        return (function(task) for task in tasks)
    return _parallel(function, tasks, workers, backend, scheduler)


def _parallel(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    workers: int,
    backend: str,
    scheduler: str | None,
) -> Iterator[Result]:
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    # joblib takes tasks from a thread of its own, where an exception would be lost.
    raised: list[BaseException] = []

    def calls() -> Iterator[Any]:
        call = joblib.delayed(function)
        try:
            for task in tasks:
                yield call(task)
        except BaseException as error:
            raised.append(error)

    options: dict[str, Any] = {"max_nbytes": None}
    if backend == "loky":
        options["initializer"] = _start_worker
    with _cluster(backend, scheduler):
        parallel = joblib.Parallel(
            # A cluster has its own number of workers, and takes them all unless it is told a number.
            n_jobs=workers if backend == "loky" or workers > 1 else -1,
            backend=backend,
            batch_size=1,
            pre_dispatch="2*n_jobs",
            return_as="generator_unordered" if backend in _STREAMING else "list",
            **(options if backend == "loky" else {}),
        )
        results = parallel(calls())
        try:
            # Not `yield from`, which would close the results before the warning of it is silenced.
            for result in results:  # noqa: UP028
                yield result
        except BrokenProcessPool as error:
            raise LostWorkersError("a worker process died") from error
        finally:
            if hasattr(results, "close"):
                with warnings.catch_warnings():
                    # joblib warns that closing early discards what is under way, which is what is wanted.
                    warnings.simplefilter("ignore")
                    results.close()
    if raised:
        raise raised[0]


@contextlib.contextmanager
def _cluster(backend: str, scheduler: str | None) -> Iterator[None]:
    """The connection to a cluster, for the backends that need one."""
    if backend == "loky":
        yield
        return
    try:
        if backend == "dask":
            distributed = importlib.import_module("distributed")
        else:
            ray = importlib.import_module("ray")
            register_ray = importlib.import_module("ray.util.joblib").register_ray
    except ImportError as error:
        raise ConfigurationError(
            f"--backend {backend} needs a package that is not installed: pip install 'maskgen[{backend}]'"
        ) from error
    if backend == "dask":
        with distributed.Client(scheduler):
            yield
        return
    ray.init(address=scheduler or "auto", ignore_reinit_error=True)
    register_ray()
    yield


def _start_worker() -> None:
    """What each local worker process begins with."""
    # Ctrl-C goes to every process of the terminal; the driver alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_when_orphaned, args=(os.getppid(),), daemon=True).start()


def _leave_when_orphaned(driver: int) -> None:
    """End this process soon after its driver was killed: loky's workers would wait five minutes for it."""
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Makes SIGTERM raise `KeyboardInterrupt` as SIGINT does, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # What is ignored stays so: a shell starts background jobs with SIGINT ignored.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
