"""Temporary folder for the uploads of `maskgen demo`. The next start removes folders of killed servers."""

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
    """A new temporary folder, locked during the block. Folders of killed servers are removed first."""
    _remove_stale_folders()
    with tempfile.TemporaryDirectory(prefix=f"maskgen-demo-{os.getpid()}-") as name:
        lock = _lock(Path(name))
        try:
            yield Path(name)
        finally:
            if lock is not None:
                os.close(lock)


def _remove_stale_folders() -> None:
    for folder in Path(tempfile.gettempdir()).iterdir():
        match = _NAME.fullmatch(folder.name)
        if match is None or folder.is_symlink() or Path("/proc", match[1]).exists():
            continue
        # The process id of a server in another container is not visible here, but its lock is.
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Lock the folder: a descriptor that holds the lock, or None."""
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
