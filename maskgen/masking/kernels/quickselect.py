"""Quickselect for numba kernels."""

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled


@compiled
def select(values: NDArray[np.float32], count: int, place: int) -> float:
    """The value at ``place`` of the first ``count`` values in sorted order; reorders them (Hoare, 1961)."""
    low, high = 0, count - 1
    while low < high:
        first, middle, last = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(first, middle), min(max(first, middle), last))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            break
    return float(values[place])
