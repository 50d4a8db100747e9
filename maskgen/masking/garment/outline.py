"""The outline of a garment in its own coordinates, and how far each pixel lies inside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Floats = NDArray[np.float32]

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

    def corner(self, upper: bool) -> tuple[float, float]:
        """(x, y) of the right upper or lower corner, where the side edge meets the other one."""
        edge = self.top if upper else self.bottom
        side = np.interp(edge, _DOWN, self.side)
        at = int(np.argmax(side <= _ACROSS)) if (side <= _ACROSS).any() else len(_ACROSS) - 1
        return float(_ACROSS[at]), float(edge[at])

    @property
    def extent(self) -> tuple[float, float, float]:
        """Greatest distance from the midline, and least and greatest height."""
        upper, lower = self.corner(True), self.corner(False)
        inside = max(upper[0], lower[0]) + _STEP >= _ACROSS
        shown = self.side[(_DOWN >= self.top.min()) & (_DOWN <= self.bottom[inside].max())]
        return float(shown.max()), float(self.top[inside].min()), float(self.bottom[inside].max())


def outline(
    top: list[tuple[float, float]],
    bottom: list[tuple[float, float]],
    side: list[tuple[float, float]],
    rounding: float,
) -> Outline:
    """An outline through knots: (distance, height) of the two edges, and (height, distance) of the side."""

    def table(knots: list[tuple[float, float]], at: NDArray[np.float64]) -> Floats:
        values = np.interp(at, *zip(*knots, strict=True))
        padded = np.concatenate([np.full(_SOFT, values[0]), values, np.full(_SOFT, values[-1])])
        return np.convolve(padded, _WINDOW, "valid").astype(np.float32)

    return Outline(table(top, _ACROSS), table(bottom, _ACROSS), table(side, _DOWN), rounding)


def inside(shape: Outline, x: Floats, y: Floats) -> Floats:
    """(height, width, 3) float32 distances to the upper, the lower and the side edge, positive inside.

    x, y: (height, width) float32 coordinates of each pixel in the garment.
    """
    return _inside(shape.top, shape.bottom, shape.side, x, y)


@compiled
def _inside(top: Floats, bottom: Floats, side: Floats, x: Floats, y: Floats) -> Floats:
    height, width = x.shape
    distances = np.empty((height, width, 3), np.float32)
    for row in range(height):
        for column in range(width):
            across, down = abs(x[row, column]) / _STEP, (y[row, column] - _FIRST) / _STEP
            i = min(max(int(across), 0), len(top) - 2)
            j = min(max(int(down), 0), len(side) - 2)
            t, s = min(max(across - i, 0.0), 1.0), min(max(down - j, 0.0), 1.0)
            rise = (top[i + 1] - top[i]) / _STEP
            fall = (bottom[i + 1] - bottom[i]) / _STEP
            slant = (side[j + 1] - side[j]) / _STEP
            upper = top[i] + t * (top[i + 1] - top[i])
            lower = bottom[i] + t * (bottom[i + 1] - bottom[i])
            outer = side[j] + s * (side[j + 1] - side[j])
            distances[row, column, 0] = (y[row, column] - upper) / np.sqrt(1 + rise * rise)
            distances[row, column, 1] = (lower - y[row, column]) / np.sqrt(1 + fall * fall)
            distances[row, column, 2] = (outer - abs(x[row, column])) / np.sqrt(1 + slant * slant)
    return distances


def opacity(distances: Floats, drawn: NDArray[np.bool_], rounding: float) -> Floats:
    """(height, width) float32 in [0, 1]: the garment's alpha, anti-aliased.

    distances: of `inside`; drawn: (height, width), where its surface is in view.
    """
    return _opacity(distances, drawn, np.float32(rounding))


@compiled
def _opacity(distances: Floats, drawn: NDArray[np.bool_], rounding: np.float32) -> Floats:
    height, width = drawn.shape
    nearest = np.empty((height, width), np.float32)
    zero = np.float32(0)
    for row in range(height):
        for column in range(width):
            across = distances[row, column, 2]
            down = min(distances[row, column, 0], distances[row, column, 1])
            if across < rounding and down < rounding:
                a, b = rounding - across, rounding - down
                nearest[row, column] = rounding - np.sqrt(a * a + b * b)
            else:
                nearest[row, column] = min(across, down)
    alpha = np.zeros((height, width), np.float32)
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            if not drawn[row, column]:
                continue
            here, steepest, around = nearest[row, column], np.float32(1e-6), 0
            for y in range(-1, 2):
                for x in range(-1, 2):
                    if drawn[row + y, column + x]:
                        around += 1
                        if (x == 0) != (y == 0):
                            steepest = max(steepest, abs(nearest[row + y, column + x] - here))
            share = min(max(here / steepest + np.float32(0.5), zero), np.float32(1))
            # Where the surface turns out of view its border has whole pixels; half of them is the edge.
            alpha[row, column] = (
                share
                * min(np.float32(around) / np.float32(9) * np.float32(1.5) - np.float32(0.25), np.float32(1))
                if around < 9
                else share
            )
    return alpha
