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
_NARROW, _STEEP, _STEEPER = 0.35, 0.7, np.float32(-1 / 0.7)
_FOLD_REACH = 2.2
_AT_START, _GAINED = np.float32(_NARROW * _FOLD_REACH), np.float32(_FOLD_REACH)
_ZERO, _ONE, _THREE = np.float32(0), np.float32(1), np.float32(3)
# A fold's width for a steep flank that is 1 wide where the fold is highest, a third of its way.
_PER_FLANK = 1 / (_STEEP * _FOLD_REACH * (_NARROW + 1 / 3))
# Half the width of a seam; how far the crest of a ridge is rounded; over which way it runs out.
_SEAM, _CREST_RADIUS, _RUN_OUT = 0.014, 0.05, 0.3


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
def fold_table(folds: Array, finest: float) -> Floats:
    """(n, 9) float32: the folds as `add_folds` takes them.

    Of each: x and y of the start, direction as a unit vector, 1 over length and width, height, and the least
    and the greatest y that it may reach. finest: least width of a fold's steep flank, in eye distances.
    """
    table = np.empty((len(folds), 9), np.float32)
    for k in range(len(folds)):
        left, top, length = folds[k, 0], folds[k, 1], folds[k, 4]
        width = max(folds[k, 3], finest * _PER_FLANK)
        cosine, sine = np.cos(folds[k, 2]), np.sin(folds[k, 2])
        table[k, 0], table[k, 1], table[k, 2], table[k, 3] = left, top, cosine, sine
        table[k, 4], table[k, 5] = 1 / length, 1 / width
        table[k, 6] = 6.75 * folds[k, 5] * folds[k, 3] / width
        reach, down = _FOLD_REACH * width * (_NARROW + 1), sine * length
        table[k, 7], table[k, 8] = top + min(down, 0.0) - reach, top + max(down, 0.0) + reach
    return table


@compiled
def add_folds(table: Floats, xs: Floats, ys: Floats, heights: Floats) -> None:
    """Add the height of the folds at some places.

    A fold has a steep and a soft flank, widens away from its start and fades at both ends.
    """
    if len(xs) == 0:
        return
    low, high = ys.min(), ys.max()
    for k in range(len(table)):
        if low <= table[k, 8] and high >= table[k, 7]:
            _add_fold(table[k], xs, ys, heights)


@compiled
def _add_fold(fold: Floats, xs: Floats, ys: Floats, heights: Floats) -> None:
    # In single precision, without branches: the loop is vectorised.
    left, top, cosine, sine, per_length, per_width, height = fold[:7]
    for k in range(len(xs)):
        right, under = xs[k] - left, ys[k] - top
        reach = min(max((right * cosine + under * sine) * per_length, _ZERO), _ONE)
        off = (under * cosine - right * sine) * per_width
        bell = max(_ONE - max(off, off * _STEEPER) / (_AT_START + reach * _GAINED), _ZERO)
        along = reach * (_ONE - reach) * (_ONE - reach)
        heights[k] += height * along * bell * bell * (_THREE - bell - bell)


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
