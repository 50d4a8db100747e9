"""The outline of the cloth over a face, as an alpha with a soft edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Image


def hull_alpha(points: NDArray[np.float64], reach: float, window: tuple[int, int, int, int]) -> Image:
    """The convex outline of points, widened.

    Args:
        points: (n, 2) in pixels of the image.
        reach: By how many pixels it is widened.
        window: (x, y, width, height) in the image of what is drawn.

    Returns:
        (height, width) uint8: 255 within, 0 outside, and in between where a side crosses a pixel.
    """
    corners = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2)
    return _drawn(corners.astype(np.float32), reach + 0.5, *window)


@compiled
def _drawn(corners: NDArray[np.float32], reach: float, left: int, top: int, columns: int, rows: int) -> Image:
    """Of each pixel the distance to the nearest side, of one pixel from nothing to 255.

    Args:
        corners: (m, 2) of a convex polygon, in the order of `cv2.convexHull`.
        reach: How far outside the polygon the last trace of it ends.
        left: Where the image begins.
        top: Likewise from above.
        columns: Its width.
        rows: Its height.
    """
    drawn = np.zeros((rows, columns), np.uint8)
    count = len(corners)
    # Of each side: where it meets the row of pixel 0, and how far a row further down; how far inwards of
    # there 255 is reached, to the right of a left side.
    meets, slant, soft = np.empty(count), np.empty(count), np.empty(count)
    for side in range(count):
        x, y = corners[side - 1, 0] - left, corners[side - 1, 1] - top
        across, down = corners[side, 0] - left - x, corners[side, 1] - top - y
        length = np.sqrt(across * across + down * down) + 1e-9
        outwards, below = down / length, -across / length
        if abs(outwards) < 1e-6:
            outwards = 1e-6
        soft[side], slant[side] = -1 / outwards, -below / outwards
        meets[side] = x + (reach + below * y) / outwards
    for row in range(rows):
        start, whole_start, end, whole_end = -1e9, -1e9, 1e9, 1e9
        for side in range(count):
            at = meets[side] + slant[side] * row
            inner = at + soft[side]
            if soft[side] > 0:
                start, whole_start = max(start, at), max(whole_start, inner)
            else:
                end, whole_end = min(end, at), min(whole_end, inner)
        left_rate, right_rate = 255 / (whole_start - start), 255 / (end - whole_end)
        for column in range(int(max(start, 0.0)), int(min(end, columns - 1.0)) + 1):
            share = min((column - start) * left_rate, (end - column) * right_rate)
            drawn[row, column] = int(min(max(share, 0.0), 255.0) + 0.5)
    return drawn
