"""One run at a time in an output folder, or one for each share of a job array.

What is locked is ``OUT/.maskgen/config.json``, which is there from a run's beginning: nothing is written for
it, and the system lets go of it when the process ends, however that ends. A whole run holds it alone, the
shares of an array hold it together, and each a file of its own alone. On Linux that holds between
machines too that see the folder by NFS. Nothing is locked in an object store, on Windows, where the file
system knows no locks, and where nothing can be written anyway.
"""

from __future__ import annotations

import importlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from maskgen.errors import ConfigurationError
from maskgen.state import STATE, RunFolder
from maskgen.stores import is_remote

# Seconds: a run that is just ending holds its lock a moment longer.
_PATIENCE = 1.0

log = logging.getLogger("maskgen")


@contextmanager
def locked(folder: RunFolder, share: tuple[int, int] = (1, 1)) -> Iterator[None]:
    """Keeps other runs out of the folder while the block lasts.

    Args:
        folder: The run's folder, with its ``config.json``.
        share: (i, n), from 1: different shares of one array may work in it at once.

    Raises:
        ConfigurationError: Another run, or the same share, is at work there.
    """
    fcntl = None if is_remote(folder.out) else _fcntl()
    with ExitStack() as held:
        if fcntl is not None:
            config = folder.folder / "config.json"
            if share == (1, 1):
                _take(held, config, "r+b", lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
            else:
                _take(held, config, "rb", lambda file: fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB))
                folder.make_folders()
                own = folder.scratch / f"share-{share[0]}-of-{share[1]}"
                _take(held, own, "ab", lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
        yield


def _take(held: ExitStack, path: Path, mode: str, lock: Any) -> None:
    """Open and lock a file, and leave closing it to ``held``."""
    out = next(parent.parent for parent in path.parents if parent.name == STATE)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            file: BinaryIO = held.enter_context(path.open(mode))  # type: ignore[assignment]
            lock(file)
            # Who held it until now may have replaced it.
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                return
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            log.info("%s is not locked: %s", path, error.strerror)
            return
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"another run is at work in {out}; wait for it or stop it, or give another --out "
                "(shares of a job array work side by side: --shard I/N)"
            )
        time.sleep(_PATIENCE / 20)


def _fcntl() -> Any:
    """The module, or None on Windows, where there is none."""
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None
