"""Loops over pixels and points, compiled to machine code by numba.

A face is masked by a hundred small steps over small arrays, and for arrays of that size nearly all the time
of numpy and OpenCV goes into the calls themselves. A compiled loop does many such steps in one call.

Compiled without "fast math": the sums are those of the written order on every processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from maskgen.machine_code import machine_code_folder

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function of numbers and arrays when it is first called.

    The machine code is kept in `maskgen.machine_code.machine_code_folder`, so that a machine compiles once
    and not in every process; in memory alone where there is no such folder. Division by zero gives infinity,
    as it does in numpy.
    """
    folder = machine_code_folder()
    settings: Any = numba.config
    kept, settings.CACHE_DIR = settings.CACHE_DIR, str(folder or "")
    try:
        made = numba.njit(cache=folder is not None, error_model="numpy", nogil=True)(function)
    finally:
        settings.CACHE_DIR = kept
    return cast(Function, made)
