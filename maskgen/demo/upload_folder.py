"""Temporary folder for the uploads of `maskgen demo`. The next start removes folders of killed servers."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"maskgen-demo-(\d+)-\w+")


@contextmanager
def demo_folder() -> Iterator[Path]:
    """A new temporary folder, locked during the block. Folders of killed servers are removed first."""
    for folder in Path(tempfile.gettempdir()).iterdir():
        match = _NAME.fullmatch(folder.name)
        if match is None or folder.is_symlink() or Path("/proc", match[1]).exists():
            continue
        # The process id of a server in another container is not visible here, but its lock is.
        with _locked(folder) as is_locked:
            if is_locked:
                shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"maskgen-demo-{os.getpid()}-") as name, _locked(Path(name)):
        yield Path(name)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder during the block; False if another process has the lock, or on Windows."""
    with ExitStack() as stack:
        is_locked = False
        with suppress(ImportError, OSError):
            import fcntl

            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_locked = True
        yield is_locked
