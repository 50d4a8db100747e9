"""The darkest smooth line around each eye, and whether both are as dark as rims are: compiled loops."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled
from maskgen.quick import select

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

# The surroundings of an eye, unrolled, as `maskgen.around_eyes` has them. Distances in those of the eyes.
ROWS, COLUMNS = 34, 48
NEAR, STEP = 0.145, 0.01
WIDER = 1.25
OVER = 0.15  # radians over the eye corners
ANGLES = np.linspace(-OVER, np.pi + OVER, COLUMNS, dtype=np.float32)
_COSINES, _SINES = np.cos(ANGLES) * np.float32(WIDER), np.sin(ANGLES)

# 90 to a natural logarithm of the light, so that a shade counts alike on all skins.
_LOGARITHM = np.clip(np.round(90 * np.log(np.arange(256) / 16 + 1)), 0, 255).astype(np.float32)

BORDER = 4  # half of what a line is narrower than: nearer to the border a line has but one side
_LINES = ROWS - 2 * BORDER
_FROM, _TO = 7, 42  # the columns in which nearly all spectacles show a rim
_CLIPPED = np.float32(60.0)  # a darker line counts no more
# The price of each step nearer or farther, and how many there are at most a column.
_BEND, _STEEPEST = np.float32(2.0), 2

# Chosen by eye over 597 photographs, then checked over 4302 others. In ninetieths of a natural logarithm:
_SURE = 10.0  # how dark the fainter line and a quarter of the other are together at least
_SECOND = 0.6  # how much of the next darkest line's darkness counts against each


@compiled
def unroll(bgr: NDArray[np.uint8], frames: NDArray[np.float64], part: tuple[int, int, int, int]) -> Floats:
    """(ROWS, 2 * COLUMNS) float32 whole numbers: the logarithm of the light around both eyes, side by side.

    Args:
        bgr: (height, width, 3) uint8.
        frames: (2, 2, 3) float64: for each eye what takes (sideways, down, 1) to x and y in ``bgr``.
        part: (left, top, right, bottom) of what is looked at; its border goes on beyond it.
    """
    left, top, right, bottom = part
    light = np.empty((ROWS, 2 * COLUMNS), np.float32)
    for eye in range(2):
        a, b, c = frames[eye, 0]
        d, e, f = frames[eye, 1]
        for row in range(ROWS):
            away = NEAR + STEP * row
            for column in range(COLUMNS):
                sideways, down = _COSINES[column] * away, _SINES[column] * away
                x = min(max(a * sideways + b * down + c, float(left)), float(right - 1))
                y = min(max(d * sideways + e * down + f, float(top)), float(bottom - 1))
                x0, y0 = int(x), int(y)
                x1, y1 = min(x0 + 1, right - 1), min(y0 + 1, bottom - 1)
                # Green is sharper than the other colours of most cameras.
                above = _LOGARITHM[bgr[y0, x0, 1]] * (x0 + 1 - x) + _LOGARITHM[bgr[y0, x1, 1]] * (x - x0)
                below = _LOGARITHM[bgr[y1, x0, 1]] * (x0 + 1 - x) + _LOGARITHM[bgr[y1, x1, 1]] * (x - x0)
                light[row, eye * COLUMNS + column] = math.floor(above * (y0 + 1 - y) + below * (y - y0) + 0.5)
    return light


@compiled
def find_lines(light: Floats) -> tuple[bool, Floats, Places]:
    """Find the darkest smooth line around each eye.

    Args:
        light: As `unroll` returns it.

    Returns:
        Whether both are rims; (2, ROWS - 2 * BORDER, COLUMNS) float32: for each eye how dark a line is at
        each place; (2, COLUMNS) int64: in which row the line is in each column. Where a quick look tells
        that there are no rims, the rows are all 0.
    """
    lines = np.empty((2, _LINES, COLUMNS), np.float32)
    paths = np.zeros((2, COLUMNS), np.int64)
    _darker_than_both_sides(light, lines)
    # No line is darker than the darkest pixels of all columns. Nearly all bare faces are told by this.
    first, second = np.zeros((2, COLUMNS), np.float32), np.zeros((2, COLUMNS), np.float32)
    for eye in range(2):
        for row in range(_LINES):
            for column in range(COLUMNS):
                first[eye, column] = max(first[eye, column], lines[eye, row, column])
    if not _sure(_darkness(first[0]), _darkness(first[1])):
        return False, lines, paths
    for eye in range(2):
        _follow(lines[eye], paths[eye])
        for column in range(COLUMNS):
            first[eye, column] = lines[eye, paths[eye, column], column]
    left, right = _darkness(first[0]), _darkness(first[1])
    if not _sure(left, right):
        return False, lines, paths
    others, path = np.empty((2, _LINES, COLUMNS), np.float32), np.zeros(COLUMNS, np.int64)
    for eye in range(2):
        for row in range(_LINES):
            for column in range(COLUMNS):
                beside = abs(row - paths[eye, column]) > BORDER
                others[eye, row, column] = lines[eye, row, column] if beside else np.float32(0)
        _follow(others[eye], path)
        for column in range(COLUMNS):
            second[eye, column] = min(others[eye, path[column], column], _CLIPPED)
    for column in range(_FROM, _TO):
        left -= _SECOND * second[0, column] / (_TO - _FROM)
        right -= _SECOND * second[1, column] / (_TO - _FROM)
    return _sure(left, right), lines, paths


@compiled
def _darker_than_both_sides(light: Floats, lines: Floats) -> None:
    """By how much each place is darker than what lies on both sides of it, nearer to the eye and farther."""
    smooth = np.empty((ROWS, 2 * COLUMNS), np.float32)
    last = 2 * COLUMNS - 1
    for row in range(ROWS):
        here = light[row]
        for column in range(1, last):
            total = here[column - 1] + here[column] + here[column + 1]
            smooth[row, column] = math.floor((total + 1) / 3)
        smooth[row, 0] = math.floor((here[0] + 2 * here[1] + 1) / 3)
        smooth[row, last] = math.floor((here[last] + 2 * here[last - 1] + 1) / 3)
    # The brightest within reach, and of these the least within reach: what is narrow and dark is closed.
    brightest = np.empty((ROWS, 2 * COLUMNS), np.float32)
    for row in range(ROWS):
        for column in range(2 * COLUMNS):
            brightest[row, column] = smooth[row, column]
        for k in range(max(row - BORDER, 0), min(row + BORDER, ROWS - 1) + 1):
            for column in range(2 * COLUMNS):
                brightest[row, column] = max(brightest[row, column], smooth[k, column])
    closed = np.empty(2 * COLUMNS, np.float32)
    for row in range(BORDER, ROWS - BORDER):
        for column in range(2 * COLUMNS):
            closed[column] = brightest[row, column]
        for k in range(row - BORDER, row + BORDER + 1):
            for column in range(2 * COLUMNS):
                closed[column] = min(closed[column], brightest[k, column])
        for eye in range(2):
            for column in range(COLUMNS):
                at = eye * COLUMNS + column
                lines[eye, row - BORDER, column] = closed[at] - smooth[row, at]


@compiled
def _darkness(along: Floats) -> float:
    """How dark most of a line is, the mean of its median and of what four fifths of it exceed."""
    count = _TO - _FROM
    judged = np.empty(count, np.float32)
    for k in range(count):
        judged[k] = along[_FROM + k]
    return (select(judged, count, count // 5) + select(judged, count, count // 2)) / 2


@compiled
def _sure(left: float, right: float) -> bool:
    """Whether lines so dark are rims."""
    fainter, darker = min(left, right), max(left, right)
    return fainter >= _SURE / 2 and fainter + darker / 4 >= _SURE


@compiled
def _follow(lines: Floats, path: Places) -> None:
    """Write the row in each column of the smooth path that is the darkest along its length.

    Args:
        lines: (ROWS - 2 * BORDER, COLUMNS) float32: darkness.
        path: (COLUMNS,) int64.
    """
    sums, before = np.empty(_LINES, np.float32), np.empty(_LINES, np.float32)
    came = np.zeros((COLUMNS, _LINES), np.int64)
    for row in range(_LINES):
        sums[row] = min(lines[row, 0], _CLIPPED)
    for column in range(1, COLUMNS):
        for row in range(_LINES):
            before[row] = sums[row]
        for row in range(_LINES):
            best, at = np.float32(-math.inf), row
            for k in range(max(row - _STEEPEST, 0), min(row + _STEEPEST, _LINES - 1) + 1):
                value = before[k] - _BEND * np.float32(abs(k - row))
                if value > best:
                    best, at = value, k
            came[column, row] = at
            sums[row] = best + min(lines[row, column], _CLIPPED)
    darkest = 0
    for row in range(_LINES):
        if sums[row] > sums[darkest]:
            darkest = row
    path[COLUMNS - 1] = darkest
    for column in range(COLUMNS - 1, 0, -1):
        path[column - 1] = came[column, path[column]]
