"""The folder for maskgen's files in the user's cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path


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
