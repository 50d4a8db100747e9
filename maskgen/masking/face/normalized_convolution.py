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
        (height, width, 3) float32.
    """
    result = usual
    for side in sides:
        near = weighted
        for _ in range(2):
            near = np.asarray(
                cv2.boxFilter(near, -1, (side, side), borderType=cv2.BORDER_CONSTANT), np.float32
            )
        result = (near[:, :, :3] + result * _ENOUGH) / (near[:, :, 3:] + _ENOUGH)
    return result
