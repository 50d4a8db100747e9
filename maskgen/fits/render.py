"""Rendering a template through an inverse map: the last step that all fits share."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image, Layer

# Below this alpha the straight colour cannot be recovered from premultiplied bytes, and does not show.
_INVISIBLE = 3


def window_around(
    points: NDArray[np.float64], image_size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The whole-pixel rectangle (x, y, width, height) around (n, 2) points, cut to the image.

    None if nothing of it lies in the image.
    """
    low = np.floor(points.min(axis=0)).astype(int) - 1
    high = np.ceil(points.max(axis=0)).astype(int) + 2
    low, high = np.maximum(low, 0), np.minimum(high, image_size)
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def render(
    levels: tuple[Image, ...],
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
    level = int(np.clip(np.floor(np.log2(max(minification, 1.0)) + 0.35), 0, len(levels) - 1))
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
    alpha = premultiplied[:, :, 3]
    alpha = np.where(alpha < _INVISIBLE, 0, alpha).astype(np.uint8)
    divisor = np.maximum(alpha, 1)[:, :, None].astype(np.float32)
    straight = np.minimum(premultiplied[:, :, :3] * (255.0 / divisor) + 0.5, 255.0)
    straight[alpha == 0] = 0
    if limit is not None:
        alpha = np.minimum(alpha, limit).astype(np.uint8)
    return trim(Layer(straight.astype(np.uint8), alpha, origin))


def trim(layer: Layer) -> Layer:
    """Cut a layer to the smallest rectangle that holds its alpha; an empty layer becomes one pixel."""
    rows, columns = np.flatnonzero(layer.alpha.any(axis=1)), np.flatnonzero(layer.alpha.any(axis=0))
    if len(rows) == 0:
        return Layer(layer.bgr[:1, :1], layer.alpha[:1, :1], layer.origin)
    y, x = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    origin = (layer.origin[0] + int(columns[0]), layer.origin[1] + int(rows[0]))
    return Layer(layer.bgr[y, x], layer.alpha[y, x], origin)
