"""Normalised convolution (Knutsson and Westin, 1993): extend known values over other pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ENOUGH = 0.08  # mean weight at which the narrower window counts half


def normalized_convolution(weighted: Floats, usual: Floats, sides: tuple[int, int]) -> Floats:
    """Normalised convolution, coarse to fine: where no known value is near, the wider window decides.

    Args:
        weighted: (height, width, 4) float32: three values times their weight, and the weight.
        usual: (3,) float32: the default values.
        sides: Sides of the wider and the narrower box filter in pixels, both odd; each is run twice.

    Returns:
        (height, width, 4) float32: the three values, and 1.
    """
    known: Any = (*(_ENOUGH * value for value in usual.tolist()), _ENOUGH)
    for side in sides:
        near: Any = weighted
        for _ in range(2):
            near = cv2.boxFilter(near, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
        near = cv2.add(near, known)
        result = cv2.divide(near, cv2.merge([cv2.extractChannel(near, 3)] * 4))
        known = result * np.float32(_ENOUGH)
    return np.asarray(result, np.float32)
