"""The `compiled` decorator: numba kernels with a machine code cache that is keyed by the package's sources.

On the small arrays of a face, numpy and OpenCV spend most of their time in call overhead; a kernel does many
steps in one call. Kernels are compiled without "fast math": sums keep their written order on every processor.
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
    """Compile a function of numbers and arrays on its first call, and cache the machine code on disk.

    Division by zero gives infinity, as in numpy.
    """
    dispatcher: Any = numba.njit(error_model="numpy", nogil=True)(function)
    dispatcher._cache = CodeCache(function)
    return cast(Function, dispatcher)


PACKAGE = Path(__file__).parent
VARIABLE = "NUMBA_CACHE_DIR"
# Modules without kernels whose constants are compiled into the kernels of others.
_CONSTANTS = ("face_mesh.py",)
_PREFIX = "maskgen-"


@cache
def code_folders() -> tuple[Path, ...]:
    """The folders that may hold code of this state of the package, in the order of preference.

    These are ``$NUMBA_CACHE_DIR`` if it is set, the package's ``__pycache__``, and the user's cache folder.
    Code is read from each of them, writable or not: root may have warmed up a container for other users.
    """
    name = _PREFIX + _state()
    given = os.environ.get(VARIABLE)
    folders = (Path(given) if given else None, PACKAGE / "__pycache__", cache_folder())
    return tuple(folder / name for folder in folders if folder is not None)


@cache
def writable_folder() -> Path | None:
    """The folder for new code; None if none of `code_folders` is writable.

    If ``$NUMBA_CACHE_DIR`` is set, no other folder is used.
    """
    folders = code_folders()[:1] if os.environ.get(VARIABLE) else code_folders()
    return next((folder for folder in folders if _writable(folder)), None)


def make_folder(folder: Path) -> None:
    """Create a folder of `code_folders`; in the package's own ``__pycache__``, remove those of older states.

    Raises:
        OSError: The folder cannot be created.
    """
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    # In other places, a sibling may belong to another installation.
    if folder.parent == PACKAGE / "__pycache__":
        for other in folder.parent.glob(f"{_PREFIX}*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)


def is_compiled() -> bool:
    """Whether the kernels of this state of the package have been compiled before."""
    return any(folder.is_dir() for folder in code_folders())


def _state() -> str:
    """Hash of the files that hold kernels or constants of kernels."""
    state = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        if b"maskgen.jit" in content or path.relative_to(PACKAGE).as_posix() in _CONSTANTS:
            state.update(content)
    return state.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    """Whether a folder is writable, or can be created."""
    if folder.is_dir():
        return os.access(folder, os.W_OK)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder.parent, os.W_OK)


log = logging.getLogger("maskgen")


class _Locator(UserProvidedCacheLocator):
    """A cache locator that does not require a writable folder."""

    @classmethod
    def from_function(cls, py_func: Callable[..., object], py_file: str) -> _Locator:
        """The locator of a function's code."""
        return cls(py_func, py_file)

    def get_source_stamp(self) -> str:
        """An empty stamp: the folder's name contains the hash of the sources."""
        return ""


class _Files(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012


class _FolderCache(FunctionCache):
    """The machine code of a function in one folder."""

    _impl_class = _Files


class CodeCache(_Cache):
    """The machine code of a function in any of `code_folders`.

    Args:
        function: The Python function.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        settings: Any = numba.config
        before = settings.CACHE_DIR
        cache_type: Any = _FolderCache
        self._caches: dict[Path, Any] = {}
        try:
            for folder in code_folders():
                settings.CACHE_DIR = str(folder)
                self._caches[folder] = cache_type(function)
        finally:
            settings.CACHE_DIR = before

    @property
    def cache_path(self) -> str | None:
        """The folder for new code."""
        folder = writable_folder()
        return None if folder is None else str(self._caches[folder].cache_path)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature; None if no folder holds readable code."""
        for folder, cached in self._caches.items():
            try:
                code = cached.load_overload(sig, target_context)
            except OSError as error:
                log.debug("%s: %s", folder, error)
            except Exception as error:
                # A damaged or truncated file makes pickle and LLVM raise arbitrary exceptions.
                log.debug("%s is damaged: %s", folder, error)
                with suppress(OSError):
                    cached.flush()
            else:
                if code is not None:
                    return code
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write new code, or warn once that it cannot be written."""
        folder = writable_folder()
        if folder is None:
            _warn_not_cached(f"{code_folders()[0].parent} is not writable")
            return
        try:
            make_folder(folder)
            self._caches[folder].save_overload(sig, data)
        except OSError as error:
            _warn_not_cached(f"{folder}: {error.strerror or error}")

    def enable(self) -> None:
        """Nothing: the cache is always on."""

    def disable(self) -> None:
        """Nothing: the cache is always on."""

    def flush(self) -> None:
        """Delete the cached code; numba calls it for ``recompile``."""
        if (folder := writable_folder()) is not None:
            self._caches[folder].flush()


@cache
def _warn_not_cached(reason: str) -> None:
    """Warn once; of several worker processes, only the first one warns."""
    name = multiprocessing.current_process().name
    if not name.startswith("LokyProcess-") or name == "LokyProcess-1":
        log.warning(
            "the compiled kernels cannot be cached (%s), so each process compiles them again (up to a "
            "minute); set %s to a writable folder",
            reason,
            VARIABLE,
        )
