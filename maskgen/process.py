"""How many processors and processes a run may use, which on shared machines are fewer than there are."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO


def usable_cores() -> int:
    """Processors that the scheduler gives this process: within its affinity and its control group's quota.

    A job of SLURM or a container that was given four of 128 is not helped by 128 workers.
    """
    return int(_import_joblib().cpu_count())


def can_start_workers() -> bool:
    """Whether joblib can start worker processes: they need semaphores, and on Linux these need /dev/shm."""
    return bool(_import_joblib().effective_n_jobs(2) > 1)


def _import_joblib() -> ModuleType:
    """joblib, which is slow to import, without the warning that it cannot start processes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import joblib
    return joblib  # type: ignore[no-any-return]


def cache_folder() -> Path | None:
    """The folder, by the custom of each system; it need not exist.

    None where there is no home: ``HOME`` is not set and the user's id has no line in ``/etc/passwd``, as in a
    container that runs with a random id.
    """
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    below = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    given = os.environ.get(variable, "")
    # The XDG specification has relative paths ignored.
    if os.path.isabs(given) and sys.platform != "darwin":  # noqa: PTH117
        return Path(given) / "maskgen"
    try:
        return Path.home() / below / "maskgen"
    except RuntimeError:
        return None


@contextmanager
def captured_stderr(pass_on: Callable[[list[bytes], bool], None]) -> Iterator[None]:
    """Capture file descriptor 2 inside the block, and hand over its lines afterwards.

    Without a stderr, or without a place for the captured text, nothing is captured.

    Args:
        pass_on: Called with the lines, and whether the block ended by an exception.
    """
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (AttributeError, OSError, ValueError):
        # There is no stderr to protect: it is closed, or replaced by an object without a file descriptor.
        yield
        return
    held = _nameless_file()
    if held is None:
        os.close(kept)
        yield
        return
    with held:
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            pass_on(list(held), failed)


def _nameless_file() -> IO[bytes] | None:
    """A file in memory, or in the temporary folder where the system has none in memory; None without both."""
    with suppress(OSError, AttributeError):
        return os.fdopen(os.memfd_create("maskgen"), "w+b")
    with suppress(OSError):
        return tempfile.TemporaryFile()
    return None


_AVX2 = 11  # CV_CPU_AVX2 in OpenCV's interface.h


def set_libraries() -> None:
    """Set the environment that decides before numpy and cv2 are imported; worker processes inherit it.

    A user's own setting wins.
    """
    os.environ.setdefault("OPENCV_IPP", "disabled")
    if _machine() == "x86_64":
        # The one that every such processor can run. The matrices here are small.
        os.environ.setdefault("OPENBLAS_CORETYPE", "Prescott")


def set_opencv() -> None:
    """Set OpenCV in the calling thread, for a process that was not started by `maskgen`."""
    import cv2

    cv2.setNumThreads(1)  # joblib limits the threads of BLAS, but not OpenCV's
    cv2.ipp.setUseIPP(False)


def processor_kind() -> str:
    """The kind of this processor, such as "Linux x86_64 AVX2": two of one kind give the same bytes."""
    import cv2

    return " ".join((platform.system(), _machine(), *(["AVX2"] if cv2.checkHardwareSupport(_AVX2) else [])))


def _machine() -> str:
    return {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())


# Thresholds of Python's collector of reference cycles. It looks through all that the libraries define again
# and again while they are imported, a sixth of the time until a process is ready, and finds next to nothing.
SELDOM = (50_000, 20, 20)
