"""Where the machine code of the compiled loops is kept.

numba looks only at the file of the outermost function to see whether its code is stale, and would go on with
the old code of a helper in another file. So each state of the package has a folder of its own.
"""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
# Modules without compiled functions whose numbers are compiled into those of others.
_CONSTANTS = ("anchors.py", "fits/canonical.py")


@cache
def machine_code_folder() -> Path | None:
    """The folder for this state of the package; None where none can be written.

    ``$NUMBA_CACHE_DIR`` if it is set, or else the package's own ``__pycache__``, or else the user's cache
    folder.
    """
    name = f"maskgen-{_state()}"
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given) / name
    places = (PACKAGE / "__pycache__", _user_cache() / "maskgen")
    return next((place / name for place in places if _writable(place)), None)


def is_compiled() -> bool:
    """Whether a process has compiled the loops of this state of the package before."""
    folder = machine_code_folder()
    return folder is not None and folder.is_dir()


def _state() -> str:
    """Hash of the files that hold a compiled function or a number that one uses, and of no others."""
    state = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        if b"maskgen.compiled" in content or path.relative_to(PACKAGE).as_posix() in _CONSTANTS:
            state.update(content)
    return state.hexdigest()[:16]


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home()))
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
