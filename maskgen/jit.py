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
from numba.core import caching

from maskgen.process import cache_folder

Function = TypeVar("Function", bound=Callable[..., object])
PACKAGE = Path(__file__).parent
VARIABLE = "NUMBA_CACHE_DIR"
log = logging.getLogger("maskgen")


def compiled(function: Function) -> Function:
    """Compile a function of numbers and arrays on its first call, and cache the machine code on disk.

    Division by zero gives infinity, as in numpy.
    """
    return _compiled(function, inline=False)


def inlined(function: Function) -> Function:
    """As `compiled`, for a step of a kernel's inner loop: it becomes part of the kernel's machine code.

    In a call, each array is ten arguments.
    """
    return _compiled(function, inline=True)


def _compiled(function: Function, *, inline: bool) -> Function:
    dispatcher: Any = numba.njit(error_model="numpy", nogil=True, forceinline=inline)(function)
    dispatcher._cache = CodeCache(function)
    return cast(Function, dispatcher)


@cache
def code_folders() -> tuple[Path, ...]:
    """The folders that may hold code of this state of the package, in the order of preference.

    These are ``$NUMBA_CACHE_DIR`` if it is set, the package's ``__pycache__``, and the user's cache folder.
    Code is read from each of them, writable or not: root may have warmed up a container for other users.
    """
    state = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        # Constants of modules without kernels, face_mesh.py and those in masking/, are compiled into kernels.
        has_constants = path == PACKAGE / "face_mesh.py" or PACKAGE / "masking" in path.parents
        if has_constants or b"maskgen.jit" in content:
            state.update(content)
    given = os.environ.get(VARIABLE)
    folders = (Path(given) if given else None, PACKAGE / "__pycache__", cache_folder())
    return tuple(folder / f"maskgen-{state.hexdigest()[:16]}" for folder in folders if folder)


@cache
def writable_folder() -> Path | None:
    """The folder for new code: the first of `code_folders` that is writable or can be created; else None.

    If ``$NUMBA_CACHE_DIR`` is set, no other folder is used.
    """
    for folder in code_folders()[:1] if os.environ.get(VARIABLE) else code_folders():
        with suppress(OSError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            if os.access(folder if folder.is_dir() else folder.parent, os.W_OK):
                return folder
    return None


def make_folder(folder: Path) -> None:
    """Create a folder of `code_folders`; in the package's ``__pycache__``, remove those of older states."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    # In other places, a sibling may belong to another installation.
    if folder.parent == PACKAGE / "__pycache__":
        for other in set(folder.parent.glob("maskgen-*")) - {folder}:
            shutil.rmtree(other, ignore_errors=True)


def is_compiled() -> bool:
    """Whether the kernels of this state of the package have been compiled before."""
    return any(folder.is_dir() for folder in code_folders())


class _Locator(caching.UserProvidedCacheLocator):
    """Gives a function's code its file name; `CodeCache` decides the folder."""

    @classmethod
    def from_function(cls, py_func: Callable[..., object], py_file: str) -> _Locator:
        return cls(py_func, py_file)

    def get_source_stamp(self) -> str:
        return ""  # the folder's name contains the hash of the sources

    def ensure_cache_path(self) -> None:
        pass  # `make_folder` has created it


class _Files(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012


class CodeCache(caching.FunctionCache):
    """The machine code of a function: read from any of `code_folders`, written to `writable_folder`."""

    _impl_class = _Files

    def _use(self, folder: Path) -> None:
        self._cache_file = caching.IndexDataCacheFile(str(folder), self._impl.filename_base, source_stamp="")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature; None if no folder holds readable code."""
        for folder in code_folders():
            self._use(folder)
            try:
                if (code := super().load_overload(sig, target_context)) is not None:
                    return code
            except OSError as error:
                log.debug("%s: %s", folder, error)
            except Exception as error:
                # A damaged or truncated file makes pickle and LLVM raise arbitrary exceptions.
                log.debug("%s is damaged: %s", folder, error)
                with suppress(OSError):
                    self.flush()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write new code, or warn once that it cannot be written."""
        if (folder := writable_folder()) is None:
            return _warn_not_cached(f"{code_folders()[0].parent} is not writable")
        try:
            make_folder(folder)
            self._use(folder)
            super().save_overload(sig, data)
        except OSError as error:
            _warn_not_cached(f"{folder}: {error.strerror or error}")


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
