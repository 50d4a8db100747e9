"""Shortest-path search for the rim of eyeglasses: the darkest smooth line around each eye (one kernel)."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.masking.face.eye_unwrap import COLUMNS, ROWS
from maskgen.records import Image

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

BORDER = 4  # half the greatest width of a line, in rows; nearer to the border a line has only one side
_LINES = ROWS - 2 * BORDER
_COLUMN = np.ones((2 * BORDER + 1, 1), np.uint8)
_FROM, _TO = 7, 42  # the columns in which nearly all eyeglasses show a rim
_CLIPPED = np.float32(60.0)  # darkness at which a line is clipped
# Cost of a step of one row, and the most rows per column.
_BEND, _STEEPEST = np.float32(2.0), 2

# Chosen by eye over 597 photographs, then checked over 4302 others. In ninetieths of a natural logarithm:
_SURE = 10.0  # least darkness of the fainter line plus a quarter of the darker one
_SECOND = 0.6  # share of the second darkest line's darkness that is subtracted


def find_lines(light: Image) -> tuple[bool, Floats, Places]:
    """Find the darkest smooth line around each eye.

    Args:
        light: From `EyeUnwrap.unroll`.

    Returns:
        are_rims: Whether both lines are dark enough for rims.
        lines: (2, ROWS - 2 * BORDER, COLUMNS) float32: for each eye the darkness of a line at each place.
        paths: (2, COLUMNS) int64: the row of the line in each column; 0 if the quick test rules out rims.
    """
    smooth = cv2.blur(light, (3, 1))
    closed = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, _COLUMN)
    darker = cv2.subtract(closed, smooth)[BORDER : ROWS - BORDER].reshape(_LINES, 2, COLUMNS)
    paths = np.zeros((2, COLUMNS), np.int64)
    # Quick test: no line is darker than the darkest pixels of all columns. It rejects nearly all bare faces.
    if not _sure(*map(_darkness, darker.max(axis=0))):
        return False, darker.astype(np.float32), paths
    lines = np.ascontiguousarray(darker.transpose(1, 0, 2), np.float32)
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


def _along(lines: Floats, path: Places) -> Floats:
    """(COLUMNS,) float32: the darkness along a path."""
    return np.asarray(lines[path, np.arange(COLUMNS)])


def _darkness(along: Floats) -> float:
    """Darkness of most of a line: the mean of its median and its lowest fifth."""
    judged = np.sort(along[_FROM:_TO])
    return (float(judged[len(judged) // 5]) + float(judged[len(judged) // 2])) / 2


def _sure(left: float, right: float) -> bool:
    """Whether lines of that darkness are rims."""
    fainter, darker = min(left, right), max(left, right)
    return fainter >= _SURE / 2 and fainter + darker / 4 >= _SURE


@compiled
def _darkest_path(lines: Floats) -> Places:
    """lines: (rows, columns) darkness; result: (columns,) the row of the darkest smooth path (Viterbi)."""
    rows, columns = lines.shape
    sums, previous = np.zeros((columns, rows), np.float32), np.zeros((columns, rows), np.int64)
    for column in range(columns):
        for row in range(rows):
            best = np.float32(-np.inf) if column else np.float32(0)
            for other in range(max(row - _STEEPEST, 0), min(row + _STEEPEST + 1, rows) if column else 0):
                reached = sums[column - 1, other] - _BEND * np.float32(abs(other - row))
                if reached > best:
                    best, previous[column, row] = reached, other
            sums[column, row] = best + min(lines[row, column], _CLIPPED)
    path = np.empty(columns, np.int64)
    path[-1] = sums[-1].argmax()
    for column in range(columns - 1, 0, -1):
        path[column - 1] = previous[column, path[column]]
    return path
