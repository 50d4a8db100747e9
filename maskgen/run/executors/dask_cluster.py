"""The Dask back end: submits tasks through Dask's client."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from maskgen.errors import ClusterError
from maskgen.run.executors.remote_call import LOOK, LOSSES, REACH, Cluster, cannot_work, package, unpickler

log = logging.getLogger("maskgen")


@contextlib.contextmanager
def connect_dask(scheduler: str | None) -> Iterator[Cluster]:
    """Connect to the cluster at an address, or at the address in Dask's configuration.

    Raises:
        ConfigurationError: Dask is not installed.
        ClusterError: There is no address, or no scheduler answers within `REACH` seconds.
    """
    distributed = package("distributed", "dask")
    address = scheduler or package("dask", "dask").config.get("scheduler-address", None)
    if not address:
        raise ClusterError("--backend dask needs --scheduler, such as tcp://host:8786")
    try:
        # A client with an invalid address takes ten seconds to close itself.
        distributed.comm.get_address_host(address)
        client = distributed.Client(address, timeout=REACH, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address} ({' '.join(str(error).split())}); start one with "
            "`dask scheduler`, and workers with `dask worker --nthreads 1`"
        ) from error
    with client:
        yield _Dask(distributed, client)


class _Dask:
    def __init__(self, distributed: Any, client: Any):
        self._distributed, self._client, self._run = distributed, client, unpickler()
        self._checked, self._slots = float("-inf"), 0
        if any(threads > 1 for threads in client.nthreads().values()):
            log.warning("workers do one shard at a time; start them with `dask worker --nthreads 1`")

    def slots(self) -> int:
        if time.monotonic() - self._checked > LOOK or not self._slots:
            try:
                self._slots = sum(self._client.nthreads().values())
            except OSError as error:
                raise self._disconnected() from error
            self._checked = time.monotonic()
        return self._slots

    def submit(self, data: bytes) -> Any:
        # Not pure: the same shard may be submitted again after its files were removed.
        return self._client.submit(self._run, data, pure=False)

    def ready(self, futures: Sequence[Any]) -> list[Any]:
        try:
            with contextlib.suppress(self._distributed.TimeoutError), self._client.as_current():
                self._distributed.wait(futures, timeout=LOOK, return_when="FIRST_COMPLETED")
        except self._distributed.CancelledError as error:
            raise self._disconnected() from error
        return [future for future in futures if future.done()]

    def result(self, future: Any) -> Any:
        try:
            return future.result()
        except self._distributed.KilledWorker as error:
            raise ClusterError(f"{LOSSES + 1} Dask workers died of the same shard: {error}") from error
        except self._distributed.CancelledError as error:
            raise self._disconnected() from error
        except ModuleNotFoundError as error:
            raise cannot_work("Dask", error) from error

    def cancel(self, futures: Sequence[Any]) -> None:
        if futures and self._client.status == "running":
            self._client.cancel(futures)

    def _disconnected(self) -> ClusterError:
        return ClusterError("the Dask scheduler disconnected; run the same command again to continue")
