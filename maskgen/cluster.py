"""Runs a function over many tasks on a Dask or Ray cluster that is there already, over a shared folder.

A few tasks a worker are under way at a time, and a result is handed on as soon as it is ready. What a worker
had in hand when it was lost goes to another one, by the cluster's own means; so a task may be begun twice,
and must leave the same whenever that happens.
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from maskgen.errors import ClusterError, ConfigurationError
from maskgen.manifest import differences, versions

# Tasks under way for each that the cluster can do at once: one is done, one waits.
_AHEAD = 2

# Seconds: to reach a scheduler; between looks at a cluster that is silent.
_REACH = 5
_LOOK = 5

# How many workers may be lost at one task before the fault is taken to be the task's.
_LOSSES = 3

Task = TypeVar("Task")
Result = TypeVar("Result")

log = logging.getLogger("maskgen")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class OnWorker(Generic[Task, Result]):
    """What a worker of a cluster calls: the function, once it is sure that this worker gives the right bytes.

    Attributes:
        function: What is to be done with each task.
        versions: Those of the driver; another OpenCV writes other bytes.
        needs: Files and folders that must be seen under the same path.
    """

    function: Callable[[Task], Result]
    versions: dict[str, str]
    needs: tuple[Path, ...]

    def __call__(self, task: Task) -> Result:
        """The function's result.

        Raises:
            ClusterError: This worker does not see the shared folder, or has other versions.
        """
        here = platform.node() or "unknown"
        if changed := differences(self.versions, _versions_here()):
            raise ClusterError(
                f"the worker on {here} has other versions than this process, and would write other bytes:\n  "
                + "\n  ".join(changed)
            )
        for path in self.needs:
            if not path.exists():
                raise ClusterError(
                    f"the worker on {here} does not see {path}; source and output must lie in a folder "
                    "that is mounted under the same path on every machine of the cluster"
                )
        # A worker with several threads would share one landmark model between them, which it cannot stand.
        with _one_at_a_time:
            return self.function(task)


@lru_cache(maxsize=1)
def _versions_here() -> dict[str, str]:
    return versions()


def _unpickler() -> Callable[[bytes], Any]:
    """What is sent in place of an `OnWorker`, so that the cluster can take it in where maskgen is missing.

    A function inside another goes over by value. A Dask worker that cannot import what it is sent would
    end without a word, and a scheduler would have to have maskgen installed.
    """

    def run(data: bytes) -> Any:
        import pickle

        call, task = pickle.loads(data)
        return call(task)

    return run


class _Cluster(Protocol):
    """What `run_on_cluster` asks of one."""

    def slots(self) -> int:
        """How many tasks it does at once, now."""

    def submit(self, data: bytes) -> Any:
        """Hand in what `_unpickler` takes; returns a ticket."""

    def ready(self, tickets: Sequence[Any]) -> list[Any]:
        """Those that have a result, after a wait of at most `_LOOK` seconds for the first."""

    def result(self, ticket: Any) -> Any:
        """What came of one that is ready; raises what the task raised, or `ClusterError`."""

    def cancel(self, tickets: Sequence[Any]) -> None:
        """Let go of tasks that are no longer wanted."""


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
    connect = {"dask": _connect_dask, "ray": _connect_ray}[backend]
    call: OnWorker[Task, Result] = OnWorker(function, versions(), tuple(needs))
    with connect(scheduler) as cluster:
        under_way: set[Any] = set()
        waiting = iter(tasks)
        more = True
        try:
            while more or under_way:
                room = workers or _AHEAD * max(1, _slots(cluster))
                while more and len(under_way) < room:
                    for task in waiting:
                        under_way.add(cluster.submit(pickle.dumps((call, task))))
                        break
                    else:
                        more = False
                        break
                for ticket in cluster.ready(list(under_way)) if under_way else ():
                    result = cluster.result(ticket)
                    under_way.discard(ticket)
                    yield result
        finally:
            cluster.cancel(list(under_way))


def _slots(cluster: _Cluster) -> int:
    slots = cluster.slots()
    if not slots:
        log.warning("the cluster has no worker; waiting for one")
    while not slots:
        time.sleep(0.5)
        slots = cluster.slots()
    return slots


def _package(name: str, backend: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"--backend {backend} needs a package that is not installed: pip install 'maskgen[{backend}]'"
        ) from error


def _cannot_work(where: str, error: BaseException) -> ClusterError:
    return ClusterError(
        f"a {where} worker cannot do the work ({type(error).__name__}: {error}); install maskgen "
        f"{versions()['maskgen']} on every machine of the cluster"
    )


# Dask.


@contextlib.contextmanager
def _connect_dask(scheduler: str | None) -> Iterator[_Cluster]:
    distributed = _package("distributed", "dask")
    address = scheduler or _package("dask", "dask").config.get("scheduler-address", None)
    if not address:
        raise ClusterError("--backend dask needs --scheduler, such as tcp://host:8786")
    try:
        # A client that is given no address at all would try to close itself for ten seconds.
        distributed.comm.get_address_host(address)
        client = distributed.Client(address, timeout=_REACH, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address} ({' '.join(str(error).split())}); start one with "
            "`dask scheduler`, and workers with `dask worker --nthreads 1`"
        ) from error
    with client:
        yield _Dask(distributed, client)


class _Dask:
    def __init__(self, distributed: Any, client: Any):
        self._distributed, self._client, self._run = distributed, client, _unpickler()
        self._asked, self._slots = float("-inf"), 0
        if any(threads > 1 for threads in client.nthreads().values()):
            log.warning("workers do one shard at a time; start them with `dask worker --nthreads 1`")

    def slots(self) -> int:
        if time.monotonic() - self._asked > _LOOK or not self._slots:
            try:
                self._slots = sum(self._client.nthreads().values())
            except OSError as error:
                raise self._gone() from error
            self._asked = time.monotonic()
        return self._slots

    def submit(self, data: bytes) -> Any:
        # Not pure: the same shard may be handed in again after its files were removed.
        return self._client.submit(self._run, data, pure=False)

    def ready(self, tickets: Sequence[Any]) -> list[Any]:
        with contextlib.suppress(TimeoutError), self._client.as_current():
            self._distributed.wait(tickets, timeout=_LOOK, return_when="FIRST_COMPLETED")
        return [ticket for ticket in tickets if ticket.done()]

    def result(self, ticket: Any) -> Any:
        try:
            return ticket.result()
        except self._distributed.KilledWorker as error:
            raise ClusterError(f"{_LOSSES + 1} Dask workers died of the same shard: {error}") from error
        except self._distributed.CancelledError as error:
            raise self._gone() from error
        except ModuleNotFoundError as error:
            raise _cannot_work("Dask", error) from error

    def cancel(self, tickets: Sequence[Any]) -> None:
        if tickets and self._client.status == "running":
            self._client.cancel(tickets)

    def _gone(self) -> ClusterError:
        return ClusterError("the Dask scheduler went away; run the same command again to go on")


# Ray.


@contextlib.contextmanager
def _connect_ray(scheduler: str | None) -> Iterator[_Cluster]:
    ray = _package("ray", "ray")
    # It ends the process when nobody answers, after a minute.
    _check_answers(scheduler)
    ours = not ray.is_initialized()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if ours:
            ray.init(
                address=scheduler or "auto",
                logging_level=logging.ERROR,
                log_to_driver=False,
                namespace="maskgen",
            )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {scheduler or 'the address of this machine'} "
            f"({' '.join(str(error).split())}); start one with `ray start --head`"
        ) from error
    finally:
        # Ray takes SIGTERM for itself, which would end a run without a word.
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
    try:
        yield _Ray(ray)
    finally:
        if ours:
            ray.shutdown()


def _check_answers(address: str | None) -> None:
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH).close()
    except OSError as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({error}); start one with `ray start --head`"
        ) from error


class _Ray:
    def __init__(self, ray: ModuleType):
        self._ray = ray
        self._run = ray.remote(num_cpus=1, max_retries=_LOSSES)(_unpickler())

    def slots(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))

    def submit(self, data: bytes) -> Any:
        return self._run.remote(data)

    def ready(self, tickets: Sequence[Any]) -> list[Any]:
        done: list[Any] = self._ray.wait(tickets, num_returns=1, timeout=_LOOK)[0]
        return done

    def result(self, ticket: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(ticket)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, ModuleNotFoundError):
                raise _cannot_work("Ray", cause) from error
            raise cause from None
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            raise ClusterError(f"{_LOSSES + 1} Ray workers died of the same shard: {error}") from error

    def cancel(self, tickets: Sequence[Any]) -> None:
        for ticket in tickets:
            self._ray.cancel(ticket)
