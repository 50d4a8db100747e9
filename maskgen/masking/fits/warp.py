"""Warp a template into image space by an inverse map: the last step of each fit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Image, Layer

# Greatest alpha that is treated as transparent: its straight colour cannot be recovered.
_INVISIBLE = 2


def window_around(
    points: NDArray[np.float64], image_size_wh: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The whole-pixel (x, y, width, height) around (n, 2) points, cut to the image; None if it is outside."""
    return window_of((*points.min(axis=0).tolist(), *points.max(axis=0).tolist()), image_size_wh)


def window_of(
    extent_ltrb: tuple[float, float, float, float], image_size_wh: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The whole-pixel (x, y, width, height) around an extent, cut to the image; None if it is outside."""
    (left, top, right, bottom), (width, height) = extent_ltrb, image_size_wh
    x0, y0 = max(math.floor(left) - 1, 0), max(math.floor(top) - 1, 0)
    x1, y1 = min(math.ceil(right) + 2, width), min(math.ceil(bottom) + 2, height)
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def warp_template(
    levels: Sequence[Image],
    map_x: NDArray[np.float32],
    map_y: NDArray[np.float32],
    minification: float,
    origin: tuple[int, int],
    limit: Image | None = None,
) -> Layer:
    """Sample a template's pyramid through a dense inverse map.

    Args:
        levels: Premultiplied BGRA uint8 images; each is half the size of the one before.
        map_x: (height, width) float32, for each layer pixel its x in pixels of ``levels[0]``; overwritten.
        map_y: (height, width) float32, its y; overwritten.
        minification: Template pixels per image pixel; selects the level, as in mipmapping.
        origin: (x, y) of the layer's top left pixel in the image.
        limit: (height, width) uint8 upper bound of the alpha.

    Returns:
        The layer, with straight colour, cut to the smallest rectangle that holds its alpha; an empty one is
        one pixel.
    """
    level = min(max(math.floor(math.log2(max(minification, 1.0)) + 0.35), 0), len(levels) - 1)
    # Pixel centres are at whole numbers: pixel 0 of a halved image covers pixels 0 and 1 of the full image.
    scale = np.float32(0.5**level)
    shift = (scale - 1) / 2
    np.add(np.multiply(map_x, scale, out=map_x), shift, out=map_x)
    np.add(np.multiply(map_y, scale, out=map_y), shift, out=map_y)
    sampled = cv2.remap(levels[level], map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    if limit is None:
        limit = np.full(map_x.shape, 255, np.uint8)
    bgr, alpha = np.zeros((*map_x.shape, 3), np.uint8), np.zeros(map_x.shape, np.uint8)
    left, top, right, bottom = _unpremultiply(np.asarray(sampled, np.uint8), limit, bgr, alpha)
    part = slice(top, bottom), slice(left, right)
    corner = origin[0] + left, origin[1] + top
    return Layer(np.ascontiguousarray(bgr[part]), np.ascontiguousarray(alpha[part]), corner)


@compiled
def _unpremultiply(sampled: Image, limit: Image, bgr: Image, alpha: Image) -> tuple[int, int, int, int]:
    """sampled: (height, width, 4); limit: (height, width), the most alpha; bgr, alpha: zeros, written.

    Returns: (left, top, right, bottom) of the visible part, right and bottom exclusive; one pixel if empty.
    """
    height, width = alpha.shape
    left, right, top, bottom = width, 0, height, 0
    for row in range(height):
        for column in range(width):
            most, opaque = int(limit[row, column]), int(sampled[row, column, 3])
            if most == 0 or opaque <= _INVISIBLE:
                continue
            pixel = sampled[row, column]
            blue, green, red = int(pixel[0]), int(pixel[1]), int(pixel[2])
            if opaque < 255:
                # Rounding can leave a colour one above the alpha.
                straight, half = np.float32(255) / np.float32(opaque), np.float32(0.5)
                blue = int(min(blue, opaque) * straight + half)
                green = int(min(green, opaque) * straight + half)
                red = int(min(red, opaque) * straight + half)
            bgr[row, column, 0], bgr[row, column, 1], bgr[row, column, 2] = blue, green, red
            alpha[row, column] = min(opaque, most)
            left, right = min(left, column), max(right, column + 1)
            top, bottom = min(top, row), row + 1
    if right == 0:
        return 0, 0, 1, 1
    return left, top, right, bottom
