"""The outline of a garment in its own coordinates, and how far a place lies inside it."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled, inlined
from maskgen.masking.garment.draws import Draws, spline_weights

Floats = NDArray[np.float32]
Knots = list[tuple[float, float]]

# The curves are tables over the distance from the midline and over the height, in steps of _STEP.
_STEP, _PER_STEP = 0.02, 50.0
_ACROSS = np.arange(0, 1.62, _STEP)
_FIRST, _DOWN = -0.4, np.arange(-0.4, 2.6, _STEP)
# The straight lines between knots are smoothed over this many steps to both sides.
_SOFT = 6
_WIDER = np.arange(-_SOFT, len(_ACROSS) + _SOFT) * _STEP
_HIGHER = np.arange(-_SOFT, len(_DOWN) + _SOFT) * _STEP + _FIRST
# Both sides of the midline, and how far the edges wander there.
_HALF = 1.6
_BOTH = np.concatenate([-_ACROSS[:0:-1], _ACROSS])
_UNDER_EYES = (np.abs(_BOTH) > 0.15) & (np.abs(_BOTH) < 0.5)
_WANDER, _KNOTS = 0.035, 16
_WINDOW = np.hanning(2 * _SOFT + 3)[1:-1] / np.hanning(2 * _SOFT + 3).sum()


@dataclass(frozen=True, eq=False)
class Outline:
    """A garment's outline; lengths in eye distances, y down from the line of the eyes.

    Attributes:
        top: Height of the upper edge at each distance from the midline.
        bottom: Height of the lower edge.
        side: Distance of the side edge from the midline at each height.
        rounding: Radius of the corners.
        wander: (2, n) how far the upper and the lower edge are from that at each x, from left to right.
    """

    top: Floats
    bottom: Floats
    side: Floats
    rounding: float
    wander: Floats

    @cached_property
    def extent(self) -> tuple[float, float, float]:
        """Greatest distance from the midline, and least and greatest height."""
        return _extent(self.top, self.bottom, self.side)

    @cached_property
    def edges(self) -> tuple[Floats, Floats, Floats]:
        """(2, n) of the top, the bottom and the side: the table, and the distance from it for a way of 1.

        The edges slope: the distance is shorter than the way up, down or across. The two edges run from the
        left to the right, the side from the top to the bottom.
        """
        upper, lower = (
            np.concatenate([edge[:0:-1], edge]) + wander
            for edge, wander in zip((self.top, self.bottom), self.wander, strict=True)
        )
        return _with_steepness(upper), _with_steepness(lower), _with_steepness(self.side)

    @property
    def below_eyes(self) -> float:
        """Least height of the upper edge where an eye lies above it."""
        return float(self.edges[0][0][_UNDER_EYES].min())


@cache
def _wander_weights() -> NDArray[np.float64]:
    """(knots, 1, places) weights of a cubic B-spline over `_BOTH`."""
    return np.asarray(spline_weights(_KNOTS, len(_BOTH))[:, None])


def outline(draws: Draws, top: Knots, bottom: Knots, side: Knots, rounding: float) -> Outline:
    """An outline through knots: (distance, height) of the two edges, and (height, distance) of the side."""

    def table(knots: Knots, at: NDArray[np.floating[Any]]) -> Floats:
        places, values = zip(*knots, strict=True)
        return np.convolve(np.interp(at, places, values), _WINDOW, "valid").astype(np.float32)

    # Summed along the first axis: in the same order on every processor.
    wander = (_WANDER * draws.spread(_KNOTS, 2, 1) * _wander_weights()).sum(axis=0)
    return Outline(
        table(top, _WIDER),
        table(bottom, _WIDER),
        table(side, _HIGHER),
        rounding,
        wander.astype(np.float32),
    )


@compiled
def _extent(top: Floats, bottom: Floats, side: Floats) -> tuple[float, float, float]:
    """`Outline.extent`: the edges count as far as they are inside the side edge, with one step beyond."""
    highest, lowest, widest = top[0], bottom[0], np.float32(0)
    for edge in (top, bottom):
        for i in range(len(edge)):
            highest, lowest = min(highest, edge[i]), max(lowest, edge[i])
            j = min(max(round((edge[i] - _FIRST) * _PER_STEP), 0), len(side) - 1)
            if side[j] <= i * _STEP and i > 0:
                break
    for j in range(len(side)):
        if highest <= j * _STEP + _FIRST <= lowest:
            widest = max(widest, side[j])
    return float(widest), float(highest), float(lowest)


@compiled
def _with_steepness(edge: Floats) -> Floats:
    both = np.ones((2, len(edge)), np.float32)
    both[0] = edge
    for k in range(len(edge) - 1):
        both[1, k] = 1 / np.sqrt(1 + ((edge[k + 1] - edge[k]) / _STEP) ** 2)
    return both


@inlined
def edge_distances(edges: tuple[Floats, Floats, Floats], x: float, y: float) -> tuple[float, float, float]:
    """Distances of a place from the upper, the lower and the side edge, positive inside."""
    top, bottom, side = edges
    across, down = (x + _HALF) * _PER_STEP, (y - _FIRST) * _PER_STEP
    i = min(max(int(across), 0), top.shape[1] - 2)
    j = min(max(int(down), 0), side.shape[1] - 2)
    t, s = min(max(across - i, 0.0), 1.0), min(max(down - j, 0.0), 1.0)
    return (
        (y - top[0, i] - t * (top[0, i + 1] - top[0, i])) * top[1, i],
        (bottom[0, i] + t * (bottom[0, i + 1] - bottom[0, i]) - y) * bottom[1, i],
        (side[0, j] + s * (side[0, j + 1] - side[0, j]) - abs(x)) * side[1, j],
    )


@inlined
def nearest_edge(upper: float, lower: float, across: float, rounding: float) -> float:
    """Distance from the outline with rounded corners, positive inside."""
    down = min(upper, lower)
    if across < rounding and down < rounding:
        return float(rounding - np.sqrt((rounding - across) ** 2 + (rounding - down) ** 2))
    return min(across, down)
