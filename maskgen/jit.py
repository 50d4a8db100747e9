"""Loops over pixels and points, compiled to machine code by numba.

A face is masked by a hundred small steps over small arrays, and for arrays of that size nearly all the time
of numpy and OpenCV goes into the calls themselves. A compiled loop does many such steps in one call.

Compiled without "fast math": the sums are those of the written order on every processor.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserProvidedCacheLocator, _Cache

from maskgen.process import cache_folder

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function of numbers and arrays when it is first called.

    `maskgen.jit` keeps the machine code, so that a machine compiles once and not in every process.
    Division by zero gives infinity, as it does in numpy.
    """
    made: Any = numba.njit(error_model="numpy", nogil=True)(function)
    made._cache = CodeCache(function)
    return cast(Function, made)


PACKAGE = Path(__file__).parent
VARIABLE = "NUMBA_CACHE_DIR"
# Modules without compiled functions whose numbers are compiled into those of others.
_CONSTANTS = ("face_mesh.py",)
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
        if b"maskgen.jit" in content or path.relative_to(PACKAGE).as_posix() in _CONSTANTS:
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
    """The code of a function in any of `maskgen.jit.code_folders`.

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
