"""A Ray cluster, by Ray's own tasks: a shard whose worker is lost goes to another one."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from maskgen.errors import ClusterError
from maskgen.run.executors.remote_call import LOOK, LOSSES, REACH, Cluster, cannot_work, package, unpickler


@contextlib.contextmanager
def connect_ray(scheduler: str | None) -> Iterator[Cluster]:
    """The cluster at that address, or the one that this machine belongs to; "local" starts one of its own.

    Raises:
        ConfigurationError: Ray is not installed.
        ClusterError: There is no cluster.
    """
    ray = package("ray", "ray")
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
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH).close()
    except OSError as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({error}); start one with `ray start --head`"
        ) from error


class _Ray:
    def __init__(self, ray: ModuleType):
        self._ray = ray
        self._run = ray.remote(num_cpus=1, max_retries=LOSSES)(unpickler())

    def slots(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))

    def submit(self, data: bytes) -> Any:
        return self._run.remote(data)

    def ready(self, tickets: Sequence[Any]) -> list[Any]:
        done: list[Any] = self._ray.wait(tickets, num_returns=1, timeout=LOOK)[0]
        return done

    def result(self, ticket: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(ticket)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, ModuleNotFoundError):
                raise cannot_work("Ray", cause) from error
            raise cause from None
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            raise ClusterError(f"{LOSSES + 1} Ray workers died of the same shard: {error}") from error

    def cancel(self, tickets: Sequence[Any]) -> None:
        for ticket in tickets:
            self._ray.cancel(ticket)
