"""Outlines through points of the face mesh, filled: compiled loops for the small pictures of a face."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled

Whole = NDArray[np.int64]
Number = NDArray[np.int64] | NDArray[np.float32]

# Farther out no outline of a face goes; what does is moved to there, so that no sum overflows.
_FARTHEST = 1 << 14


@compiled
def place_corners(
    points: NDArray[np.float32], chosen: Whole, corner: tuple[int, int], step: int, xs: Whole, ys: Whole
) -> None:
    """Put the nearest pixels of some points of an image, as its reduced part has them, into ``xs``, ``ys``.

    Args:
        points: (n, 2 or more) float32, x and y in pixels of the image.
        chosen: Which of them.
        corner: Of the part, in pixels of the image.
        step: Image pixels for one of the part's.
        xs: At least as long as ``chosen``.
        ys: Likewise.
    """
    for i in range(len(chosen)):
        x = (points[chosen[i], 0] - corner[0] + 0.5) / step - 0.5
        y = (points[chosen[i], 1] - corner[1] + 0.5) / step - 0.5
        # So written, what is no number is out there too.
        xs[i] = round(x) if -_FARTHEST < x < _FARTHEST else (_FARTHEST if x > 0 else -_FARTHEST)
        ys[i] = round(y) if -_FARTHEST < y < _FARTHEST else (_FARTHEST if y > 0 else -_FARTHEST)


@compiled
def fill_outline(plane: NDArray[np.uint8], xs: Whole, ys: Whole, count: int, value: int) -> None:
    """Give a value to all pixels inside an outline and on it.

    Args:
        plane: (height, width) uint8.
        xs: The corners, in order; only ``count`` of them count. They may lie outside the plane.
        ys: Likewise.
        count: At least one.
        value: From 0 to 255.
    """
    height, width = plane.shape
    top, bottom = ys[0], ys[0]
    for i in range(count):
        top, bottom = min(top, ys[i]), max(bottom, ys[i])
        # The line from the corner before, as Bresenham draws it from its left end.
        x, y = xs[i - 1 if i else count - 1], ys[i - 1 if i else count - 1]
        across, down = xs[i] - x, ys[i] - y
        if across < 0:
            x, y, across, down = xs[i], ys[i], -across, -down
        below, down = (1, down) if down > 0 else (-1, -down)
        steps = max(across, down, 1)
        # Twice the steps' share of a pixel that each has gone beyond the last, half of one before the first.
        beyond_x = beyond_y = steps - 1
        for _ in range(steps + 1):
            if 0 <= x < width and 0 <= y < height:
                plane[y, x] = value
            beyond_x, beyond_y = beyond_x + 2 * across, beyond_y + 2 * down
            if beyond_x >= 2 * steps:
                x, beyond_x = x + 1, beyond_x - 2 * steps
            if beyond_y >= 2 * steps:
                y, beyond_y = y + below, beyond_y - 2 * steps
    crossings = np.empty(count, np.float64)
    for row in range(max(top, 0), min(bottom + 1, height)):
        for k in range(0, cross(row, xs, ys, count, crossings) - 1, 2):
            first, last = math.ceil(crossings[k]), math.floor(crossings[k + 1])
            plane[row, max(first, 0) : max(min(last + 1, width), 0)] = value


@compiled
def cross(row: int, xs: Number, ys: Number, count: int, crossings: NDArray[np.float64]) -> int:
    """Where an outline crosses a row of pixels, from left to right; between each two of them is its inside.

    Args:
        row: Its y.
        xs: The corners, in order; only ``count`` of them count.
        ys: Likewise.
        count: At least one.
        crossings: At least ``count`` long; the x of each are put into it.

    Returns:
        How many they are.
    """
    found = 0
    x1, y1 = xs[count - 1], ys[count - 1]
    for i in range(count):
        x0, y0 = x1, y1
        x1, y1 = xs[i], ys[i]
        if (y0 <= row) != (y1 <= row):
            at, k = x0 + (row - y0) * (x1 - x0) / (y1 - y0), found
            while k > 0 and crossings[k - 1] > at:
                crossings[k] = crossings[k - 1]
                k -= 1
            crossings[k] = at
            found += 1
    return found


@compiled
def hull(xs: Whole, ys: Whole, count: int) -> int:
    """Bring the corners of the points' convex hull to the front, in order, and say how many they are.

    One corner after the other is that which leaves all points on one side (Jarvis, 1973).

    Args:
        xs: Reordered; only ``count`` of them count.
        ys: Likewise.
        count: At least one.
    """
    start = 0
    for i in range(count):
        if ys[i] < ys[start] or (ys[i] == ys[start] and xs[i] < xs[start]):
            start = i
    xs[0], xs[start] = xs[start], xs[0]
    ys[0], ys[start] = ys[start], ys[0]
    done = 1
    while done < count:
        x, y = xs[done - 1], ys[done - 1]
        best, across, down = 0, xs[0] - x, ys[0] - y
        for i in range(done, count):
            right, below = xs[i] - x, ys[i] - y
            turn = across * below - down * right
            farther = right * right + below * below > across * across + down * down
            if turn < 0 or (turn == 0 and farther):
                best, across, down = i, right, below
        if best == 0:
            break
        xs[done], xs[best] = xs[best], xs[done]
        ys[done], ys[best] = ys[best], ys[done]
        done += 1
    return done
