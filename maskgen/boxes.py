"""Blurring bytes by box filters, in one compiled loop: what it costs does not depend on the filter's side."""

from __future__ import annotations

import numpy as np

from maskgen.compiled import compiled
from maskgen.records import Image


@compiled
def softened(plane: Image, side: int) -> Image:
    """A plane blurred about as by a Gaussian, by a box filter run twice (see `maskgen.quick.box_side`).

    Args:
        plane: (height, width) uint8; it goes on as at its border.
        side: Of the box, odd, and less than 2,900, or its sums leave 32 bits.
    """
    return _boxed(_boxed(plane, side), side)


@compiled
def _boxed(plane: Image, side: int) -> Image:
    height, width = plane.shape
    reach = side // 2
    result = np.empty((height, width), np.uint8)
    # Sums down the columns, those at the border repeated beyond it.
    sums = np.zeros(width + 2 * reach, np.int32)
    inner, entering = sums[reach : reach + width], sums[2 * reach :]
    for k in range(-reach, reach + 1):
        row = plane[min(max(k, 0), height - 1)]
        for x in range(width):
            inner[x] += row[x]
    share, totals = np.float32(1 / (side * side)), np.empty(width, np.int32)
    for y in range(height):
        for x in range(reach):
            sums[x] = inner[0]
            sums[reach + width + x] = inner[width - 1]
        total = np.int32(0)
        for x in range(2 * reach):
            total = np.int32(total + sums[x])
        for x in range(width):
            total = np.int32(total + entering[x])
            totals[x] = total
            total = np.int32(total - sums[x])
        into = result[y]
        for x in range(width):
            into[x] = np.uint8(np.float32(totals[x]) * share + np.float32(0.5))
        added, dropped = plane[min(y + 1 + reach, height - 1)], plane[max(y - reach, 0)]
        for x in range(width):
            inner[x] += np.int32(added[x]) - np.int32(dropped[x])
    return result
