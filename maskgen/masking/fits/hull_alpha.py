"""Antialiased convex hull of the cloth's control points, as an alpha."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Image


def hull_alpha(points: NDArray[np.float64], reach: float, window_xywh: tuple[int, int, int, int]) -> Image:
    """(height, width) uint8, 255 inside: the convex hull of (n, 2) points, grown by ``reach`` pixels.

    Points and window are in pixels of the image; where a side crosses a pixel, the alpha is in between.
    """
    corners = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2)
    return _draw_hull(corners.astype(np.float32), reach + 0.5, *window_xywh)


@compiled
def _draw_hull(
    corners: NDArray[np.float32], reach: float, left: int, top: int, columns: int, rows: int
) -> Image:
    """corners: (m, 2) in the order of `cv2.convexHull`; result: (rows, columns), at (left, top)."""
    alpha = np.zeros((rows, columns), np.uint8)
    count = len(corners)
    # For each side: where it meets row 0, its slope per row, and the distance to the right at which 255 is
    # reached (negative for a right side).
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
            alpha[row, column] = int(min(max(share, 0.0), 255.0) + 0.5)
    return alpha
