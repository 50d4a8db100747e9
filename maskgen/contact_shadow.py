"""The soft shadow that a layer throws on the face beside it, in one compiled loop."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.boxes import softened
from maskgen.compiled import compiled
from maskgen.outlines import cross
from maskgen.records import Image


@compiled
def contact_shadow(
    alpha: Image,
    outline: NDArray[np.float32],
    across: int,
    down: int,
    side: int,
    face_side: int,
    depth: float,
) -> Image:
    """(height, width) uint8: how much the layer darkens the face under and beside it.

    Args:
        alpha: (height, width) uint8 of the layer.
        outline: (n, 2) float32 x, y of the face's outline, in the layer's pixels.
        across: By how many whole pixels the shadow is moved: what is blurred next by more shows no smaller
            step.
        down: Likewise.
        side: Of the box that softens it.
        face_side: Of the box that softens the face's outline.
        depth: How much darker the shadow is where it is deepest.
    """
    height, width = alpha.shape
    moved = np.empty((height, width), np.uint8)
    first, last = min(max(across, 0), width), max(min(width + across, width), 0)
    for y in range(height):
        row, into = alpha[min(max(y - down, 0), height - 1)], moved[y]
        into[:first], into[last:] = row[0], row[width - 1]
        for x in range(first, last):
            into[x] = row[x - across]
    soft, face = softened(moved, side), softened(_filled(outline, height, width), face_side)
    result = np.empty((height, width), np.uint8)
    factor = np.float32(depth / 255)
    for y in range(height):
        into, one, other = result[y], soft[y], face[y]
        for x in range(width):
            into[x] = np.uint8(np.float32(one[x]) * np.float32(other[x]) * factor + np.float32(0.5))
    return result


@compiled
def _filled(outline: NDArray[np.float32], height: int, width: int) -> Image:
    """(height, width) uint8: 255 inside a polygon, less where its sides cross a pixel."""
    result = np.zeros((height, width), np.uint8)
    count = len(outline)
    crossings = np.empty(count, np.float64)
    for y in range(height):
        row = result[y]
        for n in range(0, cross(y, outline[:, 0], outline[:, 1], count, crossings) - 1, 2):
            low, high = max(crossings[n], -1.0), min(crossings[n + 1], width + 0.0)
            first, last = math.floor(low + 0.5), math.floor(high + 0.5)
            row[max(first + 1, 0) : max(last, 0)] = 255
            if first == last:
                _cover(row, first, high - low)
            else:
                _cover(row, first, first + 0.5 - low)
                _cover(row, last, high - (last - 0.5))
    return result


@compiled
def _cover(row: Image, x: int, share: float) -> None:
    if 0 <= x < len(row):
        row[x] = min(row[x] + np.int64(255 * share + 0.5), 255)
