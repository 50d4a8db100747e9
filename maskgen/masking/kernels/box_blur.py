"""Approximate Gaussian blur: a box filter applied twice."""

from __future__ import annotations

import math

import cv2
import numpy as np

from maskgen.records import Image


def box_side(sigma: float) -> int:
    """Odd side of the box filter that, applied twice, approximates a Gaussian of standard deviation sigma.

    A box of side b has a variance of (b^2 - 1) / 12. The cost of a box filter does not depend on its side.
    """
    return 2 * round((math.sqrt(6 * sigma**2 + 1) - 1) / 2) + 1


def box_blur(plane: Image, side: int) -> Image:
    """Blur a (height, width) uint8 plane by a box filter applied twice; `box_side` gives its side."""
    once = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(once, (side, side), borderType=cv2.BORDER_REPLICATE), np.uint8)
