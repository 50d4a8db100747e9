"""The folders that hold the machine code of the compiled loops.

numba looks only at the file of the outermost function to see whether its code is stale, and would go on with
the old code of a helper in another file. So each state of the package has a folder of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from functools import cache
from pathlib import Path

from maskgen.cache_folder import cache_folder

PACKAGE = Path(__file__).parent
VARIABLE = "NUMBA_CACHE_DIR"
# Modules without compiled functions whose numbers are compiled into those of others.
_CONSTANTS = ("anchors.py", "fits/canonical.py")
_PREFIX = "maskgen-"


@cache
def code_folders() -> tuple[Path, ...]:
    """The folders that may hold code of this state of the package, those that users choose first.

    ``$NUMBA_CACHE_DIR`` if it is set, the package's own ``__pycache__``, and the user's cache folder. Code is
    read from any of them, written or not: an image may be warmed up by root and run by another user.
    """
    name = _PREFIX + _state()
    given = os.environ.get(VARIABLE)
    places = (Path(given) if given else None, PACKAGE / "__pycache__", cache_folder())
    return tuple(place / name for place in places if place is not None)


@cache
def kept_folder() -> Path | None:
    """The folder that new code is written to; None where none of `code_folders` can be written.

    If ``$NUMBA_CACHE_DIR`` is set, new code goes there or nowhere.
    """
    folders = code_folders()[:1] if os.environ.get(VARIABLE) else code_folders()
    return next((folder for folder in folders if _writable(folder)), None)


def make_folder(folder: Path) -> None:
    """Make a folder of `code_folders`; a new one in the package's own cache takes the place of older states'.

    Raises:
        OSError: It cannot be made.
    """
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    # Elsewhere a sibling may be the code of another installation.
    if folder.parent == PACKAGE / "__pycache__":
        for other in folder.parent.glob(f"{_PREFIX}*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)


def is_compiled() -> bool:
    """Whether a process has compiled the loops of this state of the package before."""
    return any(folder.is_dir() for folder in code_folders())


def _state() -> str:
    """Hash of the files that hold a compiled function or a number that one uses, and of no others."""
    state = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        if b"maskgen.compiled" in content or path.relative_to(PACKAGE).as_posix() in _CONSTANTS:
            state.update(content)
    return state.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    """Whether files can be written below a folder that exists, or that can be made."""
    if folder.is_dir():
        return os.access(folder, os.W_OK)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder.parent, os.W_OK)
