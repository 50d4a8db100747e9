"""Rendering a template through an inverse map: the last step that all fits share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image, Layer

# Up to this alpha the straight colour cannot be recovered from premultiplied bytes, and does not show.
_INVISIBLE = 2


def window_around(
    points: NDArray[np.float64], image_size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The whole-pixel rectangle (x, y, width, height) around (n, 2) points, cut to the image.

    None if nothing of it lies in the image.
    """
    x0, y0 = (max(math.floor(value) - 1, 0) for value in points.min(axis=0).tolist())
    ends = zip(points.max(axis=0).tolist(), image_size, strict=True)
    x1, y1 = (min(math.ceil(value) + 2, end) for value, end in ends)
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def render(
    levels: Sequence[Image],
    map_x: NDArray[np.float32],
    map_y: NDArray[np.float32],
    minification: float,
    origin: tuple[int, int],
    limit: Image | None = None,
) -> Layer:
    """Sample a template's pyramid through a dense inverse map.

    Args:
        levels: Premultiplied BGRA uint8 pictures; each is half the size of the one before.
        map_x: (height, width) float32, for each layer pixel its x in pixels of ``levels[0]``.
        map_y: Likewise y.
        minification: Template pixels for one image pixel; picks the level, so that a small face shows
            a filtered template instead of every tenth of its pixels.
        origin: Where the layer's top left pixel lies in the image.
        limit: (height, width) uint8 that the alpha may not exceed.

    Returns:
        The layer, with straight colour.
    """
    level = min(max(math.floor(math.log2(max(minification, 1.0)) + 0.35), 0), len(levels) - 1)
    scale = 0.5**level
    # Pixel centres are at whole numbers: pixel 0 of a halved picture covers pixels 0 and 1 of the full one.
    shift = (scale - 1.0) / 2.0
    sampled = cv2.remap(
        levels[level],
        map_x * np.float32(scale) + np.float32(shift),
        map_y * np.float32(scale) + np.float32(shift),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0, 0),
    )
    premultiplied = np.asarray(sampled, np.uint8)
    blue, green, red, alpha = cv2.split(premultiplied)
    alpha = cv2.threshold(alpha, _INVISIBLE, 0, cv2.THRESH_TOZERO)[1]
    # OpenCV divides by 0 to 0.
    straight = cv2.divide(cv2.merge([blue, green, red]), cv2.merge([alpha] * 3), scale=255.0)
    if limit is not None:
        alpha = cv2.min(alpha, limit)
    return trim(Layer(np.asarray(straight, np.uint8), np.asarray(alpha, np.uint8), origin))


def trim(layer: Layer) -> Layer:
    """Cut a layer to the smallest rectangle that holds its alpha; an empty layer becomes one pixel."""
    left, top, width, height = cv2.boundingRect(layer.alpha)
    if width == 0:
        return Layer(layer.bgr[:1, :1], layer.alpha[:1, :1], layer.origin)
    y, x = slice(top, top + height), slice(left, left + width)
    return Layer(layer.bgr[y, x], layer.alpha[y, x], (layer.origin[0] + left, layer.origin[1] + top))
