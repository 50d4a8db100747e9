"""Loops over pixels and points, compiled to machine code by numba.

A face is masked by a hundred small steps over small arrays, and for arrays of that size nearly all the time
of numpy and OpenCV goes into the calls themselves. A compiled loop does many such steps in one call.

Compiled without "fast math": the sums are those of the written order on every processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function of numbers and arrays when it is first called.

    The machine code is kept beside the module, or in the user's cache folder where that cannot be written,
    so that a machine compiles once and not in every process; and in memory alone where neither can be.
    Division by zero gives infinity, as it does in numpy.
    """
    try:
        made = njit(cache=True, error_model="numpy", nogil=True)(function)
    except RuntimeError:  # numba has found no folder for the machine code
        made = njit(error_model="numpy", nogil=True)(function)
    return cast(Function, made)
