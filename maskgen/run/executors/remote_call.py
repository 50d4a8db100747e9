"""What the two kinds of cluster have in common: what is asked of one, and what its workers call."""

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

# Seconds: to reach a scheduler; between looks at a cluster that is silent.
REACH = 5
LOOK = 5

# How many workers may be lost at one task before the fault is taken to be the task's.
LOSSES = 3

Task = TypeVar("Task")
Result = TypeVar("Result")

_one_at_a_time = threading.Lock()


class Cluster(Protocol):
    """A cluster as `maskgen.run.executors.cluster.run_on_cluster` uses it."""

    def slots(self) -> int:
        """How many tasks it does at once, now."""

    def submit(self, data: bytes) -> Any:
        """Hand in what `unpickler` takes; returns a ticket."""

    def ready(self, tickets: Sequence[Any]) -> list[Any]:
        """Those that have a result, after a wait of at most `LOOK` seconds for the first."""

    def result(self, ticket: Any) -> Any:
        """What came of one that is ready; raises what the task raised, or `ClusterError`."""

    def cancel(self, tickets: Sequence[Any]) -> None:
        """Let go of tasks that are no longer wanted."""


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


def unpickler() -> Callable[[bytes], Any]:
    """What is sent in place of an `OnWorker`, so that the cluster can take it in where maskgen is missing.

    A function inside another goes over by value. A Dask worker that cannot import what it is sent would
    end without a word, and a scheduler would have to have maskgen installed.
    """

    def run(data: bytes) -> Any:
        import pickle

        call, task = pickle.loads(data)
        return call(task)

    return run


def package(name: str, backend: str) -> ModuleType:
    """A module of what the backend's extra installs; `ConfigurationError` if it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"--backend {backend} needs a package that is not installed: pip install 'maskgen[{backend}]'"
        ) from error


def cannot_work(where: str, error: BaseException) -> ClusterError:
    """What to raise where a worker could not even begin."""
    return ClusterError(
        f"a {where} worker cannot do the work ({type(error).__name__}: {error}); install maskgen "
        f"{versions()['maskgen']} on every machine of the cluster"
    )
