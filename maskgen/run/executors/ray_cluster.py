"""The Ray back end: submits tasks as Ray remote functions."""

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
    """Connect to the cluster at an address, or to that of this machine; "local" starts a new one.

    Raises:
        ConfigurationError: Ray is not installed.
        ClusterError: There is no cluster.
    """
    ray = package("ray", "ray")
    # If no cluster answers, `ray.init` ends the process after a minute.
    _check_answers(scheduler)
    is_new = not ray.is_initialized()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if is_new:
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
        # Ray's own SIGTERM handler would end a run without a message.
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
    try:
        yield _Ray(ray)
    finally:
        if is_new:
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

    def ready(self, futures: Sequence[Any]) -> list[Any]:
        done: list[Any] = self._ray.wait(futures, num_returns=1, timeout=LOOK)[0]
        return done

    def result(self, future: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(future)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, ModuleNotFoundError):
                raise cannot_work("Ray", cause) from error
            raise cause from None
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            raise ClusterError(f"{LOSSES + 1} Ray workers died of the same shard: {error}") from error

    def cancel(self, futures: Sequence[Any]) -> None:
        for future in futures:
            self._ray.cancel(future)
