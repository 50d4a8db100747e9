"""The folder for the uploads of `maskgen demo`, which goes with the program even when that is killed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"maskgen-demo-(\d+)-\w+")


@contextmanager
def demo_folder() -> Iterator[Path]:
    """A new temporary folder, locked while the block lasts; those of killed programs are removed."""
    _remove_left()
    with tempfile.TemporaryDirectory(prefix=f"maskgen-demo-{os.getpid()}-") as name:
        lock = _lock(Path(name))
        try:
            yield Path(name)
        finally:
            if lock is not None:
                os.close(lock)


def _remove_left() -> None:
    for folder in Path(tempfile.gettempdir()).iterdir():
        named = _NAME.fullmatch(folder.name)
        if named is None or folder.is_symlink() or Path("/proc", named[1]).exists():
            continue
        # A program in another container has a process id that is not seen here, but its lock is.
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds a lock on the folder; None if it cannot be locked."""
    with suppress(ImportError, OSError):
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor
    return None
