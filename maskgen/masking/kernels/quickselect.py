"""Quick stand-ins for what is slow on the small images in which a face is looked at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Image


def box_blur(plane: Image, side: int) -> Image:
    """A (height, width) uint8 plane blurred by a box filter run twice; `box_side` gives its side."""
    once = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(once, (side, side), borderType=cv2.BORDER_REPLICATE), np.uint8)


@compiled
def select(values: NDArray[np.float32], count: int, place: int) -> float:
    """What stands at ``place`` among the first ``count`` values once they are sorted (Hoare, 1961).

    Args:
        values: (n,) float32, changed: they are left in another order.
        count: At least one.
        place: From 0 to ``count`` - 1.
    """
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
