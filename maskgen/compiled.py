"""Loops over pixels and points, compiled to machine code by numba.

A face is masked by a hundred small steps over small arrays, and for arrays of that size nearly all the time
of numpy and OpenCV goes into the calls themselves. A compiled loop does many such steps in one call.

Compiled without "fast math": the sums are those of the written order on every processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from maskgen.code_cache import CodeCache

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function of numbers and arrays when it is first called.

    `maskgen.code_cache` keeps the machine code, so that a machine compiles once and not in every process.
    Division by zero gives infinity, as it does in numpy.
    """
    made: Any = numba.njit(error_model="numpy", nogil=True)(function)
    made._cache = CodeCache(function)
    return cast(Function, made)
