"""Run a function over many tasks on an existing Dask or Ray cluster with a shared folder.

Each worker has a few tasks in progress, and a result is yielded as soon as it is ready. The cluster itself
gives the task of a lost worker to another one; a task may therefore start twice and must be idempotent.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import pickle
import platform
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from maskgen.errors import ClusterError, ConfigurationError
from maskgen.results.run_record import differences, versions

# Seconds: to reach a scheduler; between polls of a silent cluster.
_REACH, _LOOK = 5, 5

# How many workers one task may lose before the task is at fault; Dask's default.
_LOSSES = 3

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
    connect: Any = {"dask": _connect_dask, "ray": _connect_ray}[backend]
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


def _slots(cluster: _Dask | _Ray) -> int:
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


@contextlib.contextmanager
def _connect_dask(scheduler: str | None) -> Iterator[_Dask]:
    """Connect to the Dask cluster at an address, or at the address in Dask's configuration."""
    distributed = _package("distributed", "dask")
    address = scheduler or importlib.import_module("dask").config.get("scheduler-address", None)
    if not address:
        raise ClusterError("--backend dask needs --scheduler, such as tcp://host:8786")
    try:
        # A client with an invalid address takes ten seconds to close itself.
        distributed.comm.get_address_host(address)
        client = distributed.Client(address, timeout=_REACH, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address} ({' '.join(str(error).split())}); start one with "
            "`dask scheduler`, and workers with `dask worker --nthreads 1`"
        ) from error
    with client:
        if any(threads > 1 for threads in client.nthreads().values()):
            log.warning("workers do one shard at a time; start them with `dask worker --nthreads 1`")
        yield _Dask(distributed, client)


@contextlib.contextmanager
def _connect_ray(scheduler: str | None) -> Iterator[_Ray]:
    """Connect to the Ray cluster at an address, or to that of this machine; "local" starts a new one."""
    ray = _package("ray", "ray")
    is_new = not ray.is_initialized()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    host, colon, port = (scheduler or "").removeprefix("ray://").rpartition(":")
    try:
        # If no cluster answers, `ray.init` ends the process after a minute.
        if colon and port.isdigit():
            socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH).close()
        if is_new:
            ray.init(address=scheduler or "auto", logging_level=logging.ERROR, log_to_driver=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {scheduler or 'the address of this machine'} "
            f"({' '.join(str(error).split())}); start one with `ray start --head`"
        ) from error
    finally:
        # Ray's own SIGTERM handler would end a run without a message.
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
    try:
        yield _Ray(ray)
    finally:
        if is_new:
            ray.shutdown()


class _Dask:
    def __init__(self, distributed: Any, client: Any):
        self._distributed, self._client, self._run = distributed, client, _unpickler()

    def slots(self) -> int:
        """The current number of parallel tasks."""
        try:
            return sum(self._client.nthreads().values())
        except OSError as error:
            raise self._disconnected() from error

    def submit(self, data: bytes) -> Any:
        """Submit a pickled call; returns a future."""
        # Not pure: the same shard may be submitted again after its files were removed.
        return self._client.submit(self._run, data, pure=False)

    def ready(self, futures: Sequence[Any]) -> list[Any]:
        """The futures with a result, after a wait of at most `_LOOK` seconds for the first."""
        try:
            with contextlib.suppress(self._distributed.TimeoutError), self._client.as_current():
                self._distributed.wait(futures, timeout=_LOOK, return_when="FIRST_COMPLETED")
        except self._distributed.CancelledError as error:
            raise self._disconnected() from error
        return [future for future in futures if future.done()]

    def result(self, future: Any) -> Any:
        """The result of a ready future; raises the task's exception or `ClusterError`."""
        try:
            return future.result()
        except self._distributed.KilledWorker as error:
            raise _workers_died("Dask", error) from error
        except self._distributed.CancelledError as error:
            raise self._disconnected() from error
        except ModuleNotFoundError as error:
            raise _without_maskgen("Dask", error) from error

    def cancel(self, futures: Sequence[Any]) -> None:
        """Cancel tasks."""
        if futures and self._client.status == "running":
            self._client.cancel(futures)

    def _disconnected(self) -> ClusterError:
        return ClusterError("the Dask scheduler disconnected; run the same command again to continue")


class _Ray:
    """The same five methods for Ray."""

    def __init__(self, ray: ModuleType):
        self._ray = ray
        self._run = ray.remote(num_cpus=1, max_retries=_LOSSES)(_unpickler())

    def slots(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))

    def submit(self, data: bytes) -> Any:
        return self._run.remote(data)

    def ready(self, futures: Sequence[Any]) -> list[Any]:
        done: list[Any] = self._ray.wait(futures, num_returns=1, timeout=_LOOK)[0]
        return done

    def result(self, future: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(future)
        except errors.RayTaskError as error:
            if isinstance(error.cause, ModuleNotFoundError):
                raise _without_maskgen("Ray", error.cause) from error
            raise error.cause from None
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            raise _workers_died("Ray", error) from error

    def cancel(self, futures: Sequence[Any]) -> None:
        for future in futures:
            self._ray.cancel(future)


def _unpickler() -> Callable[[bytes], Any]:
    """A function that calls a pickled task, for workers and schedulers without maskgen.

    A nested function is pickled by value: a Dask worker that cannot import a function ends without a message.
    """

    def run(data: bytes) -> Any:
        import pickle

        return pickle.loads(data)()

    return run


def _package(name: str, backend: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"--backend {backend} needs a package that is not installed: pip install 'maskgen[{backend}]'"
        ) from error


def _workers_died(backend: str, error: BaseException) -> ClusterError:
    return ClusterError(f"{_LOSSES + 1} {backend} workers died of the same shard: {error}")


def _without_maskgen(backend: str, error: BaseException) -> ClusterError:
    return ClusterError(
        f"a {backend} worker cannot do the work ({type(error).__name__}: {error}); install maskgen "
        f"{versions()['maskgen']} on every machine of the cluster"
    )
