"""The interface shared by the Dask and Ray back ends."""

from __future__ import annotations

import importlib
import platform
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from maskgen.errors import ClusterError, ConfigurationError
from maskgen.results.run_record import differences, versions

# Seconds: to reach a scheduler; between polls of a silent cluster.
REACH = 5
LOOK = 5

# How many workers one task may lose before the task is at fault.
LOSSES = 3

Task = TypeVar("Task")
Result = TypeVar("Result")

_one_at_a_time = threading.Lock()


class Cluster(Protocol):
    """The cluster interface of `maskgen.run.executors.cluster.run_on_cluster`."""

    def slots(self) -> int:
        """The current number of parallel tasks."""

    def submit(self, data: bytes) -> Any:
        """Submit a pickled call for `unpickler`; returns a future."""

    def ready(self, futures: Sequence[Any]) -> list[Any]:
        """The futures with a result, after a wait of at most `LOOK` seconds for the first."""

    def result(self, future: Any) -> Any:
        """The result of a ready future; raises the task's exception or `ClusterError`."""

    def cancel(self, futures: Sequence[Any]) -> None:
        """Cancel tasks."""


@dataclass(frozen=True)
class OnWorker(Generic[Task, Result]):
    """A function that checks versions and shared folders of the cluster worker before it runs.

    Attributes:
        function: The function to call with each task.
        versions: The driver's package versions; another OpenCV writes other bytes.
        needs: Files and folders that must exist under the same path.
    """

    function: Callable[[Task], Result]
    versions: dict[str, str]
    needs: tuple[Path, ...]

    def __call__(self, task: Task) -> Result:
        """Check this worker, and return the function's result.

        Raises:
            ClusterError: This worker does not see the shared folder, or has other versions.
        """
        host = platform.node() or "unknown"
        if changes := differences(self.versions, _worker_versions()):
            raise ClusterError(
                f"the worker on {host} has other versions than this process, and would write other bytes:\n  "
                + "\n  ".join(changes)
            )
        for path in self.needs:
            if not path.exists():
                raise ClusterError(
                    f"the worker on {host} does not see {path}; source and output must lie in a folder "
                    "that is mounted under the same path on every machine of the cluster"
                )
        # The landmark model is not thread-safe, and a worker may have several threads.
        with _one_at_a_time:
            return self.function(task)


@lru_cache(maxsize=1)
def _worker_versions() -> dict[str, str]:
    return versions()


def unpickler() -> Callable[[bytes], Any]:
    """A function that unpickles an `OnWorker` call and runs it, for clusters without maskgen.

    A nested function is pickled by value. A Dask worker that cannot import a submitted function ends without
    a message, and the scheduler would need maskgen too.
    """

    def run(data: bytes) -> Any:
        import pickle

        call, task = pickle.loads(data)
        return call(task)

    return run


def package(name: str, backend: str) -> ModuleType:
    """Import a module of the backend's extra; `ConfigurationError` if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"--backend {backend} needs a package that is not installed: pip install 'maskgen[{backend}]'"
        ) from error


def cannot_work(where: str, error: BaseException) -> ClusterError:
    """The error for a worker that cannot load the call."""
    return ClusterError(
        f"a {where} worker cannot do the work ({type(error).__name__}: {error}); install maskgen "
        f"{versions()['maskgen']} on every machine of the cluster"
    )
