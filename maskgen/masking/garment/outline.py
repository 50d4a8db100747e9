"""The outline of a garment in its own coordinates, and how far a place lies inside it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Floats = NDArray[np.float32]
Knots = list[tuple[float, float]]

# The curves are tables over the distance from the midline and over the height, in steps of _STEP.
_STEP = 0.02
_ACROSS = np.arange(0, 1.62, _STEP)
_FIRST, _DOWN = -0.4, np.arange(-0.4, 2.6, _STEP)
# The straight lines between knots are smoothed over this many steps to both sides.
_SOFT = 4
_WINDOW = np.hanning(2 * _SOFT + 3)[1:-1] / np.hanning(2 * _SOFT + 3).sum()


@dataclass(frozen=True, eq=False)
class Outline:
    """Both halves of a garment's outline; lengths in eye distances, y down from the line of the eyes.

    Attributes:
        top: Height of the upper edge at each distance from the midline.
        bottom: Height of the lower edge.
        side: Distance of the side edge from the midline at each height.
        rounding: Radius of the corners.
    """

    top: Floats
    bottom: Floats
    side: Floats
    rounding: float

    @cached_property
    def extent(self) -> tuple[float, float, float]:
        """Greatest distance from the midline, and least and greatest height."""
        upper, lower = self._corner(self.top), self._corner(self.bottom)
        inside = slice(0, max(upper, lower) + 2)
        top, bottom = float(self.top[inside].min()), float(self.bottom[inside].max())
        return float(self.side[(top <= _DOWN) & (bottom >= _DOWN)].max()), top, bottom

    @property
    def below_eyes(self) -> float:
        """Least height of the upper edge where an eye lies above it."""
        return float(self.top[(_ACROSS > 0.15) & (_ACROSS < 0.5)].min())

    def _corner(self, edge: Floats) -> int:
        """Where the side edge meets another edge, as an index into its table."""
        beyond = np.interp(edge, _DOWN, self.side) <= _ACROSS
        return int(beyond.argmax()) if beyond.any() else len(_ACROSS) - 1


def outline(top: Knots, bottom: Knots, side: Knots, rounding: float) -> Outline:
    """An outline through knots: (distance, height) of the two edges, and (height, distance) of the side."""

    def table(knots: Knots, at: NDArray[np.float64]) -> Floats:
        places, heights = np.array(knots).T
        values = np.interp(at, places, heights)
        padded = np.concatenate([np.full(_SOFT, values[0]), values, np.full(_SOFT, values[-1])])
        return np.convolve(padded, _WINDOW, "valid").astype(np.float32)

    return Outline(table(top, _ACROSS), table(bottom, _ACROSS), table(side, _DOWN), rounding)


@compiled
def edge_distances(
    top: Floats, bottom: Floats, side: Floats, x: float, y: float
) -> tuple[float, float, float]:
    """Distances of a place from the upper, the lower and the side edge, positive inside."""
    across, down = abs(x) / _STEP, (y - _FIRST) / _STEP
    i = min(max(int(across), 0), len(top) - 2)
    j = min(max(int(down), 0), len(side) - 2)
    t, s = min(max(across - i, 0.0), 1.0), min(max(down - j, 0.0), 1.0)
    rise, fall, slant = top[i + 1] - top[i], bottom[i + 1] - bottom[i], side[j + 1] - side[j]
    # The edges slope: the distance is shorter than the way up, down or across.
    return (
        (y - top[i] - t * rise) / np.sqrt(1 + (rise / _STEP) ** 2),
        (bottom[i] + t * fall - y) / np.sqrt(1 + (fall / _STEP) ** 2),
        (side[j] + s * slant - abs(x)) / np.sqrt(1 + (slant / _STEP) ** 2),
    )


@compiled
def nearest_edge(upper: float, lower: float, across: float, rounding: float) -> float:
    """Distance from the outline with rounded corners, positive inside."""
    down = min(upper, lower)
    if across < rounding and down < rounding:
        return float(rounding - np.sqrt((rounding - across) ** 2 + (rounding - down) ** 2))
    return min(across, down)
