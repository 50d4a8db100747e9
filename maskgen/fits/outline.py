"""The outline of the cloth over a face, as an alpha with a soft edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled
from maskgen.records import Image


def outline(points: NDArray[np.float64], reach: float, window: tuple[int, int, int, int]) -> Image:
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
def _drawn(  # noqa: PLR0912 - split, it would be slower
    corners: NDArray[np.float32], reach: float, left: int, top: int, columns: int, rows: int
) -> Image:
    """Of each pixel the distance to the nearest side, of one pixel from nothing to 255.

    Args:
        corners: (m, 2) of a convex polygon, in the order of `cv2.convexHull`.
        reach: How far outside the polygon the last trace of it ends.
        left: Where the picture begins.
        top: Likewise from above.
        columns: Its width.
        rows: Its height.
    """
    drawn = np.zeros((rows, columns), np.uint8)
    count = len(corners)
    # Of each side: how much of the way a step to the right leads outwards, one down, and the distance from
    # outside at the first pixel.
    right, down, inwards = np.empty(count), np.empty(count), np.empty(count)
    for side in range(count):
        x, y = corners[side - 1, 0] - left, corners[side - 1, 1] - top
        across, below = corners[side, 0] - left - x, corners[side, 1] - top - y
        length = np.sqrt(across * across + below * below) + 1e-9
        right[side], down[side] = below / length, -across / length
        inwards[side] = reach + right[side] * x + down[side] * y
    for row in range(rows):
        # Where the row is met by all sides, and where it is wholly within.
        start, end = 0.0, columns - 1.0
        whole_start, whole_end = 0.0, columns - 1.0
        for side in range(count):
            here, way = inwards[side] - down[side] * row, right[side]
            if way > 1e-6:
                if here < end * way:
                    end = here / way
                if here - 1 < whole_end * way:
                    whole_end = (here - 1) / way
            elif way < -1e-6:
                if here < start * way:
                    start = here / way
                if here - 1 < whole_start * way:
                    whole_start = (here - 1) / way
            elif here < 1:
                whole_start = columns
        for column in range(int(start), int(end) + 1):
            least = 1.0
            if column < whole_start or column > whole_end:
                for side in range(count):
                    here = inwards[side] - down[side] * row - right[side] * column
                    least = min(least, here)
            drawn[row, column] = int(least * 255 + 0.5) if least > 0 else 0
    return drawn
