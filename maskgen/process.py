"""The process environment: usable cores, cache folder, captured stderr, and settings of native libraries."""

import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO

# Thresholds of Python's garbage collector for a faster start: at its defaults it takes a sixth of the import
# time and frees almost nothing.
SELDOM = (50_000, 20, 20)

_AVX2 = 11  # CV_CPU_AVX2 in OpenCV's interface.h


def usable_cores() -> int:
    """The number of processors of this process, within its affinity and its control group's quota.

    A SLURM job or a container may have four of 128.
    """
    return int(_import_joblib().cpu_count())


def can_start_workers() -> bool:
    """Whether joblib can start worker processes: they need semaphores, on Linux in /dev/shm."""
    return bool(_import_joblib().effective_n_jobs(2) > 1)


def _import_joblib() -> ModuleType:
    """Import joblib, which is slow, without its warning that it cannot start processes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import joblib
    return joblib  # type: ignore[no-any-return]


def cache_folder() -> Path | None:
    """The cache folder of maskgen by the conventions of each system; it may not exist.

    None without a home: ``HOME`` is unset and the user id has no line in ``/etc/passwd``, as in a container
    with a random user id.
    """
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    below = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    setting = os.environ.get(variable, "")
    # The XDG specification says to ignore relative paths.
    if os.path.isabs(setting) and sys.platform != "darwin":  # noqa: PTH117
        return Path(setting) / "maskgen"
    try:
        return Path.home() / below / "maskgen"
    except RuntimeError:
        return None


@contextmanager
def captured_stderr(pass_on: Callable[[list[bytes], bool], None]) -> Iterator[None]:
    """Capture file descriptor 2 inside the block, and pass on its lines and whether the block raised.

    Does nothing without a stderr or without a place for the captured text.
    """
    try:
        sys.stderr.flush()
        buffer, saved_fd = _anonymous_file(), os.dup(2)
    except (AttributeError, OSError, ValueError):
        # stderr is closed, or replaced by an object without a file descriptor.
        yield
        return
    with buffer:
        os.dup2(buffer.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(saved_fd, 2)
            os.close(saved_fd)
            buffer.seek(0)
            pass_on(list(buffer), failed)


def _anonymous_file() -> IO[bytes]:
    """A file in memory, or else in the temporary folder."""
    try:
        return os.fdopen(os.memfd_create("maskgen"), "w+b")
    except (OSError, AttributeError):
        return tempfile.TemporaryFile()


def set_libraries() -> None:
    """Set environment variables that numpy and cv2 read on import; a user's own settings win.

    Worker processes inherit them. The matrices here are small, so one BLAS thread is the fastest.
    """
    settings = {"OPENBLAS_NUM_THREADS": "1", "OPENCV_IPP": "disabled"}
    # OpenCV prints a warning for each file that it cannot open; maskgen prints its own message instead.
    settings["OPENCV_LOG_LEVEL"] = "ERROR"
    if _machine() == "x86_64":
        settings["OPENBLAS_CORETYPE"] = "Prescott"  # the kernels that every x86_64 processor can run
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def set_opencv() -> None:
    """Configure OpenCV in the calling thread, for processes that `maskgen` did not start."""
    import cv2

    cv2.setNumThreads(1)  # joblib limits the threads of BLAS, but not OpenCV's
    cv2.ipp.setUseIPP(False)


def processor_kind() -> str:
    """The kind of this processor, such as "Linux x86_64 AVX2"; processors of one kind give the same bytes."""
    import cv2

    return " ".join((platform.system(), _machine(), *(["AVX2"] if cv2.checkHardwareSupport(_AVX2) else [])))


def _machine() -> str:
    return {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
