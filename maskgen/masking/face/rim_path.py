"""The darkest smooth line around each eye, and whether both are as dark as rims are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from maskgen.records import Image

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

# The surroundings of an eye, unrolled, as `maskgen.masking.face.eye_unwrap` has them. Distances in those of
# the eyes.
ROWS, COLUMNS = 34, 48
NEAR, STEP = 0.145, 0.01
WIDER = 1.25
OVER = 0.15  # radians over the eye corners
ANGLES = np.linspace(-OVER, np.pi + OVER, COLUMNS, dtype=np.float32)
_COSINES, _SINES = np.cos(ANGLES) * np.float32(WIDER), np.sin(ANGLES)

# 90 to a natural logarithm of the light, so that a shade counts alike on all skins.
_LOGARITHM = np.clip(np.round(90 * np.log(np.arange(256) / 16 + 1)), 0, 255).astype(np.uint8)

BORDER = 4  # half of what a line is narrower than: nearer to the border a line has but one side
_LINES = ROWS - 2 * BORDER
_FROM, _TO = 7, 42  # the columns in which nearly all spectacles show a rim
_CLIPPED = np.float32(60.0)  # a darker line counts no more
# The price of each step nearer or farther, and how many there are at most a column.
_BEND, _STEEPEST = np.float32(2.0), 2

# Chosen by eye over 597 photographs, then checked over 4302 others. In ninetieths of a natural logarithm:
_SURE = 10.0  # how dark the fainter line and a quarter of the other are together at least
_SECOND = 0.6  # how much of the next darkest line's darkness counts against each


def unroll(bgr: Image, frames: NDArray[np.float64], part_ltrb: tuple[int, int, int, int]) -> Image:
    """(ROWS, 2 * COLUMNS) uint8: the logarithm of the light around both eyes, side by side.

    Args:
        bgr: (height, width, 3) uint8.
        frames: (2, 2, 3) float64: for each eye, the matrix from (sideways, down, 1) to x and y in ``bgr``.
        part_ltrb: The part that is looked at; its border goes on beyond it.
    """
    left, top, right, bottom = part_ltrb
    # Green is sharper than the other colours of most cameras.
    light = _LOGARITHM[bgr[top:bottom, left:right, 1]]
    away = NEAR + STEP * np.arange(ROWS)[:, None]
    places = np.stack([_COSINES * away, _SINES * away, np.ones((ROWS, COLUMNS))])
    # (2, 2, ROWS, COLUMNS) -> x and y, (ROWS, 2 * COLUMNS) each.
    x, y = np.concatenate(np.tensordot(frames, places, axes=1).astype(np.float32), axis=2)
    return np.asarray(
        cv2.remap(light, x - left, y - top, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def find_lines(light: Image) -> tuple[bool, Floats, Places]:
    """Find the darkest smooth line around each eye.

    Args:
        light: As `unroll` returns it.

    Returns:
        Whether both are rims; (2, ROWS - 2 * BORDER, COLUMNS) float32: for each eye how dark a line is at
        each place; (2, COLUMNS) int64: in which row the line is in each column. Where a quick look tells
        that there are no rims, the rows are all 0.
    """
    lines = _darker_than_both_sides(light)
    paths = np.zeros((2, COLUMNS), np.int64)
    # No line is darker than the darkest pixels of all columns. Nearly all bare faces are told by this.
    if not _sure(*map(_darkness, lines.max(axis=1))):
        return False, lines, paths
    paths = np.stack([_darkest_path(each) for each in lines])
    left, right = (_darkness(_along(*pair)) for pair in zip(lines, paths, strict=True))
    if not _sure(left, right):
        return False, lines, paths
    beside = np.abs(np.arange(_LINES)[:, None] - paths[:, None]) > BORDER
    others = np.where(beside, lines, np.float32(0))
    second = [
        np.minimum(_along(each, _darkest_path(each)), _CLIPPED)[_FROM:_TO].mean(dtype=np.float64)
        for each in others
    ]
    return _sure(left - _SECOND * second[0], right - _SECOND * second[1]), lines, paths


def _darker_than_both_sides(light: Image) -> Floats:
    """By how much each place is darker than what lies on both sides of it, nearer to the eye and farther."""
    smooth = cv2.blur(light, (3, 1))
    closed = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, np.ones((2 * BORDER + 1, 1), np.uint8))
    inner = slice(BORDER, ROWS - BORDER)
    lines = closed[inner].astype(np.float32) - smooth[inner]
    return np.stack(np.split(lines, 2, axis=1))


def _along(lines: Floats, path: Places) -> Floats:
    """(COLUMNS,) float32: the darkness along a path."""
    return np.asarray(lines[path, np.arange(COLUMNS)])


def _darkness(along: Floats) -> float:
    """How dark most of a line is, the mean of its median and of what four fifths of it exceed."""
    judged = np.sort(along[_FROM:_TO])
    return float(judged[len(judged) // 5] + judged[len(judged) // 2]) / 2


def _sure(left: float, right: float) -> bool:
    """Whether lines so dark are rims."""
    fainter, darker = min(left, right), max(left, right)
    return fainter >= _SURE / 2 and fainter + darker / 4 >= _SURE


def _darkest_path(lines: Floats) -> Places:
    """(COLUMNS,) int64: the row in each column of the smooth path that is the darkest along its length.

    Args:
        lines: (ROWS - 2 * BORDER, COLUMNS) float32: darkness.
    """
    dark = np.minimum(lines, _CLIPPED)
    steps = np.arange(-_STEEPEST, _STEEPEST + 1)
    sums, came = dark[:, 0], np.zeros((COLUMNS, _LINES), np.int64)
    for column in range(1, COLUMNS):
        padded = np.pad(sums, _STEEPEST, constant_values=-np.inf)
        reached = sliding_window_view(padded, len(steps)) - _BEND * np.abs(steps).astype(np.float32)
        came[column] = np.arange(_LINES) + steps[reached.argmax(axis=1)]
        sums = reached.max(axis=1) + dark[:, column]
    path = np.full(COLUMNS, int(sums.argmax()), np.int64)
    for column in range(COLUMNS - 1, 0, -1):
        path[column - 1] = came[column, path[column]]
    return path
