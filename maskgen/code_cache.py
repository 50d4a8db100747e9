"""The compiled code of one function, read from several folders and written to one at most.

numba's own cache uses no folder that it cannot write, and raises where there is none that it can.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserProvidedCacheLocator, _Cache

from maskgen.machine_code import VARIABLE, code_folders, kept_folder, make_folder

log = logging.getLogger("maskgen")


class _Locator(UserProvidedCacheLocator):
    """Names the place of a function's code without asking whether it can be written."""

    @classmethod
    def from_function(cls, py_func: Callable[..., object], py_file: str) -> _Locator:
        """The locator, whatever the folder is."""
        return cls(py_func, py_file)

    def get_source_stamp(self) -> str:
        """Nothing: the folder's name stands for the state of the sources."""
        return ""


class _Files(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012


class _FolderCache(FunctionCache):
    """The code of a function in one folder."""

    _impl_class = _Files


class CodeCache(_Cache):
    """The code of a function in any of `maskgen.machine_code.code_folders`.

    Args:
        function: The function, not compiled.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        settings: Any = numba.config
        given = settings.CACHE_DIR
        made: Any = _FolderCache
        self._caches: dict[Path, Any] = {}
        try:
            for folder in code_folders():
                settings.CACHE_DIR = str(folder)
                self._caches[folder] = made(function)
        finally:
            settings.CACHE_DIR = given

    @property
    def cache_path(self) -> str | None:
        """Where new code is written."""
        folder = kept_folder()
        return None if folder is None else str(self._caches[folder].cache_path)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature; None where no folder holds any that can be read."""
        for folder, kept in self._caches.items():
            try:
                found = kept.load_overload(sig, target_context)
            except OSError as error:
                log.debug("%s: %s", folder, error)
            except Exception as error:
                # A file that is damaged or cut short makes pickle and LLVM raise arbitrary exceptions.
                log.debug("%s is damaged: %s", folder, error)
                with suppress(OSError):
                    kept.flush()
            else:
                if found is not None:
                    return found
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write new code, or say once why it cannot be written."""
        folder = kept_folder()
        if folder is None:
            _say_not_kept(f"{code_folders()[0].parent} cannot be written")
            return
        try:
            make_folder(folder)
            self._caches[folder].save_overload(sig, data)
        except OSError as error:
            _say_not_kept(f"{folder}: {error.strerror or error}")

    def enable(self) -> None:
        """Nothing: the cache is always on."""

    def disable(self) -> None:
        """Nothing: the cache is always on."""

    def flush(self) -> None:
        """Forget the code that is written; numba calls it for ``recompile``."""
        if (folder := kept_folder()) is not None:
            self._caches[folder].flush()


@cache
def _say_not_kept(reason: str) -> None:
    """Say so once, and of several worker processes let the first one speak."""
    name = multiprocessing.current_process().name
    if not name.startswith("LokyProcess-") or name == "LokyProcess-1":
        log.warning(
            "the compiled code cannot be kept (%s), so each process compiles it again, which takes up to a "
            "minute; set %s to a folder that can be written",
            reason,
            VARIABLE,
        )
