"""Catmull-Rom interpolation of a smooth map from a coarse lattice of nodes to pixels.

Catmull-Rom cubics ("A class of local interpolating splines", 1974) keep straight lines straight; the cubic of
`cv2.resize` (a = -0.75) bends them by a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Lattice:
    """Nodes over a rectangle of pixels, with one row or column of nodes outside it on every side.

    Attributes:
        columns: Width of the rectangle in pixels.
        rows: Height of the rectangle in pixels.
        step: Pixels between two nodes.
    """

    columns: int
    rows: int
    step: int

    @classmethod
    def over(cls, columns: int, rows: int, cells: int) -> Lattice:
        """A lattice with a number of cells along the rectangle's longer side."""
        return cls(columns, rows, max(1, -(-max(columns, rows) // cells)))

    def nodes(self) -> NDArray[np.float64]:
        """(n, m, 2) float64: x and y of the nodes in pixels of the rectangle."""
        across, down = (-(-(size - 1) // self.step) + 4 for size in (self.columns, self.rows))
        grid = np.empty((down, across, 2))
        grid[:, :, 0] = np.arange(-self.step, (across - 1) * self.step, self.step)
        grid[:, :, 1] = np.arange(-self.step, (down - 1) * self.step, self.step)[:, None]
        return grid

    def fill(self, values: Plane) -> Plane:
        """(rows, columns) float32, interpolated from the (n, m) float32 values at the nodes."""
        return _fill(values, self.step, self.rows, self.columns)


@compiled
def _fill(values: Plane, step: int, rows: int, columns: int) -> Plane:
    """values: (n, m) at the nodes; result: (rows, columns), by cubics along the columns, then the rows."""
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
