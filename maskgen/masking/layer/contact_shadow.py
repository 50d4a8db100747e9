"""The soft shadow that a mask casts on the face beside it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.kernels.box_blur import box_blur
from maskgen.masking.kernels.polygons import fill_polygon
from maskgen.records import Image


def contact_shadow(
    alpha: Image,
    outline: NDArray[np.float32],
    shift: tuple[int, int],
    side: int,
    face_side: int,
    depth: float,
) -> Image:
    """(height, width) uint8: how much the layer darkens the face under and beside it.

    Args:
        alpha: (height, width) uint8 of the layer.
        outline: (n, 2) float32 x, y of the face's outline, in the layer's pixels.
        shift: (x, y) whole pixels by which the shadow is moved.
        side: Odd side of the box that softens the shadow, in pixels.
        face_side: Odd side of the box that softens the face's outline, in pixels.
        depth: Greatest darkening, from 0 to 1.
    """
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    moved = cv2.warpAffine(
        alpha, move, alpha.shape[::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    face = np.zeros_like(alpha)
    fill_polygon(face, np.rint(outline).astype(np.int32), 255)
    soft = box_blur(np.asarray(moved, np.uint8), side).astype(np.float32) * box_blur(face, face_side)
    return (soft * np.float32(depth / 255) + np.float32(0.5)).astype(np.uint8)
