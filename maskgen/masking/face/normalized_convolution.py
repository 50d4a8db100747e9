"""Normalised convolution (Knutsson and Westin, 1993): extend known values over other pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ENOUGH = np.float32(0.08)  # mean weight at which the narrower window counts half


def normalized_convolution(weighted: Floats, usual: Floats, sides: tuple[int, int]) -> Floats:
    """Normalised convolution, coarse to fine: where no known value is near, the wider window decides.

    Args:
        weighted: (height, width, 4) float32: three values times their weight, and the weight.
        usual: (3,) float32: the default values.
        sides: Sides of the wider and the narrower box filter in pixels, both odd; each is run twice.

    Returns:
        (height, width, 4) float32: the three values, and 1.
    """
    result = np.full_like(weighted, np.append(usual, np.float32(1)))
    for side in sides:
        near = weighted
        for _ in range(2):
            near = cv2.boxFilter(near, -1, (side, side), borderType=cv2.BORDER_CONSTANT)  # type: ignore[assignment]
        near += result * _ENOUGH
        result = cv2.divide(near, cv2.merge([cv2.extractChannel(near, 3)] * 4))  # type: ignore[assignment]
    return result
