"""The relief of a garment: pleats, folds, a ridge and crumples as one height for each place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled, inlined

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

# The curves of a pleat are tables over x, from -_REACH to _REACH.
_REACH, _STEP, _PER_STEP = 1.44, 0.045, 1 / 0.045
COLUMNS = np.arange(round(2 * _REACH / _STEP) + 1) * _STEP - _REACH
# How far above a pleat's edge the cloth rises towards it, in eye distances.
_CREST = 0.14
# How far the shade under the edge reaches at least, by depth, and at most; how dark it is at most.
_SHADE, _DEEPER, _FARTHEST, DARKEST = 0.03, 1.5, 0.12, 0.75
# A fold's half width at its start and what it gains to its end, in its widths; its steep side is narrower.
_NARROW, _STEEP, _STEEPER = 0.35, 0.7, -1 / 0.7
_FOLD_REACH = 2.2
# A fold's width for a steep flank that is 1 wide where the fold is highest, a third of its way.
_PER_FLANK = 1 / (_STEEP * _FOLD_REACH * (_NARROW + 1 / 3))
# Half the width of a seam; how far the crest of a ridge is rounded; over which way it runs out.
_SEAM, _CREST_RADIUS, _RUN_OUT = 0.014, 0.05, 0.3
# Cells of the table that says which folds may touch a place: their first x and y, their side, their number.
_CELL_X, _CELL_Y, _CELL, _PER_CELL, _ACROSS, _DOWN = -1.6, -0.4, 0.1, 10.0, 32, 25


@dataclass(frozen=True, eq=False)
class Relief:
    """What stands out of a garment's surface; lengths in eye distances.

    Attributes:
        pleats: (n, 3) edges of cloth across the garment: softness, length of the recovery below, and how much
            of the light the edge takes from what lies under it, as a share for a squared depth of 1.
        curves: (n, 2, columns) float32 of each pleat at `COLUMNS`: height of its edge, and its depth.
        folds: (n, 6) straight folds: x and y of the start, direction in radians (down from the right), width,
            length, height.
        ridge: Height and reach of a ridge down the midline, the darkness of its seam, from 0 to 1, and the
            height in the garment at which it has run out.
        crumple: Height of the random crumples.
        crumple_map: x, y and turn of the tile of crumples, and its scale along and across the turn.
    """

    pleats: Array
    curves: Floats
    folds: Array
    ridge: tuple[float, float, float, float]
    crumple: float
    crumple_map: tuple[float, float, float, float, float]


@inlined
def pleat_relief(pleats: Array, curves: Floats, finest: float, x: float, y: float) -> tuple[float, float]:
    """Height of the pleats at a place, and how dark it is there under their edges, from 0 to 1.

    finest: least softness of an edge, in eye distances.
    """
    total, dark = 0.0, 0.0
    across = min(max((x + _REACH) * _PER_STEP, 0.0), curves.shape[2] - 1.001)
    i = int(across)
    t = across - i
    for k in range(len(pleats)):
        soft, length = max(pleats[k, 0], finest), pleats[k, 1]
        below = y - curves[k, 0, i] - t * (curves[k, 0, i + 1] - curves[k, 0, i])
        if below < -_CREST or below > length:
            continue
        depth = curves[k, 1, i] + t * (curves[k, 1, i + 1] - curves[k, 1, i])
        # The cloth rises to the edge and falls below it: the edge itself is a crest. The way back under the
        # edge, where the cloth is folded, is out of view.
        near = 1 - (below / length if below > 0 else -below / _CREST)
        total += depth * near * near
        # The cloth above keeps light from what lies under its edge: more and farther where it is deep.
        deep = abs(depth)
        under = min(max(1 - below / min(_SHADE + _DEEPER * deep, _FARTHEST), 0.0), 1.0)
        dark += pleats[k, 2] * deep * deep * under * under * min(max(below / soft + 0.5, 0.0), 1.0)
    return total, min(dark, DARKEST)


@compiled
def fold_cells(folds: Array, finest: float) -> tuple[NDArray[np.int64], Array]:
    """Which folds may touch a place, by cells of the garment, and the folds as `fold_height` takes them.

    finest: least width of a fold's steep flank, in eye distances.

    Returns:
        (rows, columns, n + 1) int64: the number of the folds in a cell, then their indices; and (n, 7): x and
        y of the start, direction as a unit vector, 1 over length and width, and height.
    """
    cells, rows = np.zeros((_DOWN, _ACROSS, len(folds) + 1), np.int64), np.empty((len(folds), 7))
    margin = 0.71 * _CELL
    for k in range(len(folds)):
        left, top, length = folds[k, 0], folds[k, 1], folds[k, 4]
        width = max(folds[k, 3], finest * _PER_FLANK)
        cosine, sine = np.cos(folds[k, 2]), np.sin(folds[k, 2])
        rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3] = left, top, cosine, sine
        rows[k, 4], rows[k, 5], rows[k, 6] = 1 / length, 1 / width, 6.75 * folds[k, 5] * folds[k, 3] / width
        reach = _FOLD_REACH * width * (_NARROW + 1) + margin
        x0, x1 = left + min(cosine * length, 0.0) - reach, left + max(cosine * length, 0.0) + reach
        y0, y1 = top + min(sine * length, 0.0) - reach, top + max(sine * length, 0.0) + reach
        for row in range(_cell(y0, _CELL_Y, _DOWN), _cell(y1, _CELL_Y, _DOWN) + 1):
            for column in range(_cell(x0, _CELL_X, _ACROSS), _cell(x1, _CELL_X, _ACROSS) + 1):
                right = _CELL_X + (column + 0.5) * _CELL - left
                under = _CELL_Y + (row + 0.5) * _CELL - top
                along = right * cosine + under * sine
                wide = _FOLD_REACH * width * (_NARROW + min(max((along + margin) / length, 0.0), 1.0))
                off = under * cosine - right * sine
                if -margin < along < length + margin and -_STEEP * wide - margin < off < wide + margin:
                    cells[row, column, 0] += 1
                    cells[row, column, cells[row, column, 0]] = k
    return cells, rows


@inlined
def _cell(place: float, first: float, count: int) -> int:
    """The row or the column of a cell; places beyond the table belong to its border."""
    return min(max(int((place - first) * _PER_CELL), 0), count - 1)


@inlined
def fold_height(cells: NDArray[np.int64], rows: Array, x: float, y: float) -> float:
    """Height of the folds at a place.

    A fold has a steep and a soft flank, widens away from its start and fades at both ends.
    """
    row, column = _cell(y, _CELL_Y, _DOWN), _cell(x, _CELL_X, _ACROSS)
    total = 0.0
    for n in range(1, cells[row, column, 0] + 1):
        k = cells[row, column, n]
        right, under, cosine, sine = x - rows[k, 0], y - rows[k, 1], rows[k, 2], rows[k, 3]
        reach = min(max((right * cosine + under * sine) * rows[k, 4], 0.0), 1.0)
        off = (under * cosine - right * sine) * rows[k, 5]
        bell = max(1 - max(off, off * _STEEPER) / ((_NARROW + reach) * _FOLD_REACH), 0.0)
        total += rows[k, 6] * reach * (1 - reach) * (1 - reach) * bell * bell * (3 - bell - bell)
    return total


@inlined
def _rounded(x: float) -> float:
    """Distance from the midline, which grows slowly at first."""
    return float(np.sqrt(x * x + _CREST_RADIUS * _CREST_RADIUS) - _CREST_RADIUS)


@inlined
def ridge_relief(
    ridge: tuple[float, float, float, float], finest: float, x: float, y: float
) -> tuple[float, float]:
    """Height of the ridge down the midline, whose crest is rounded, and how dark it is there in its seam."""
    if abs(x) >= ridge[1] or y >= ridge[3]:
        return 0.0, 0.0
    left = (1 - _rounded(x) / _rounded(ridge[1])) * min((ridge[3] - y) / _RUN_OUT, 1.0)
    wide = max(_SEAM, finest)
    dark = ridge[2] * max(1 - abs(x) / wide, 0.0) * _SEAM / wide
    return ridge[0] * left * left, dark
