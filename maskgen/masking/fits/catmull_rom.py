"""A smooth map over a rectangle of pixels, computed at few nodes and filled in between them.

Filled in by Catmull-Rom cubics ("A class of local interpolating splines", 1974), which keep what is straight
straight; the cubic that `cv2.resize` offers (a = -0.75) bends it by a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Lattice:
    """Nodes over a rectangle, one row and column of them beyond it on every side.

    Attributes:
        columns: Width of the rectangle in pixels.
        rows: Its height.
        step: Pixels between two nodes.
    """

    columns: int
    rows: int
    step: int

    @classmethod
    def over(cls, columns: int, rows: int, cells: int) -> Lattice:
        """The lattice with that many cells along the rectangle's longer side."""
        return cls(columns, rows, max(1, -(-max(columns, rows) // cells)))

    def nodes(self) -> NDArray[np.float64]:
        """(n, m, 2): x and y of the nodes in pixels of the rectangle."""
        across, down = (-(-(size - 1) // self.step) + 4 for size in (self.columns, self.rows))
        grid = np.empty((down, across, 2))
        grid[:, :, 0] = np.arange(-self.step, (across - 1) * self.step, self.step)
        grid[:, :, 1] = np.arange(-self.step, (down - 1) * self.step, self.step)[:, None]
        return grid

    def fill(self, values: Plane) -> Plane:
        """(rows, columns) float32 from the (n, m) float32 values at the nodes."""
        return _filled(values, self.step, self.rows, self.columns)


@compiled
def _filled(values: Plane, step: int, rows: int, columns: int) -> Plane:
    """(rows, columns) float32: by cubics down the columns of nodes, and then along each row."""
    filled = np.empty((rows, columns), np.float32)
    knots = np.empty(values.shape[1], np.float32)
    share = np.empty(step, np.float32)
    for place in range(step):
        share[place] = place / step
    half = np.float32(0.5)
    for y in range(rows):
        cell = y // step
        above, first, second, below = values[cell], values[cell + 1], values[cell + 2], values[cell + 3]
        t = share[y - cell * step]
        for node in range(len(knots)):
            p, q, r, s = above[node], first[node], second[node], below[node]
            bend = (q - r) * np.float32(3) + s - p
            knots[node] = q + t * half * (r - p + t * (p - q - q + r - bend + t * bend))
        row = filled[y]
        for cell in range((columns + step - 1) // step):
            p, q, r, s = knots[cell], knots[cell + 1], knots[cell + 2], knots[cell + 3]
            bend = (q - r) * np.float32(3) + s - p
            cubic, square, slope = half * bend, half * (p - q - q + r - bend), half * (r - p)
            start = cell * step
            inside = row[start : min(start + step, columns)]
            for place in range(len(inside)):
                t = share[place]
                inside[place] = q + t * (slope + t * (square + t * cubic))
    return filled
