"""A smooth map over a rectangle of pixels, computed at few nodes and filled in between them.

Filled in by Catmull-Rom cubics ("A class of local interpolating splines", 1974), which keep what is straight
straight; the cubic that `cv2.resize` offers (a = -0.75) bends it by a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Beyond this many pixels a side a cubic bends so little from one pixel to the next that straight lines do.
_FINE = 160


@dataclass(frozen=True)
class Lattice:
    """Nodes over a rectangle, one row and column of them beyond it on every side.

    Attributes:
        columns: Width of the rectangle in pixels.
        rows: Its height.
        step: Pixels between two nodes.
        fine: Pixels between two places that are filled in by cubics.
    """

    columns: int
    rows: int
    step: int
    fine: int

    @classmethod
    def over(cls, columns: int, rows: int, cells: int) -> Lattice:
        """The lattice with that many cells along the rectangle's longer side."""
        longer = max(columns, rows)
        return cls(columns, rows, max(1, -(-longer // cells)), -(-longer // _FINE))

    def nodes(self) -> NDArray[np.float64]:
        """(n, m, 2): x and y of the nodes in pixels of the rectangle."""
        across, down = (np.arange(_count(size, self.step)) - 1.0 for size in (self.columns, self.rows))
        grid = np.empty((len(down), len(across), 2))
        grid[:, :, 0], grid[:, :, 1] = across * self.step, down[:, None] * self.step
        return grid

    def fill(self, values: Plane) -> Plane:
        """(rows, columns) float32 from the (n, m) values at the nodes."""
        down, across = (self._shares(size) for size in (self.rows, self.columns))
        filled = down @ values.astype(np.float32, copy=False) @ across.T
        if self.fine == 1:
            return np.asarray(filled, np.float32)
        size = filled.shape[1] * self.fine, filled.shape[0] * self.fine
        # `resize` looks at pixels' middles: a place that stands for `fine` pixels lies in the midst of them.
        return np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR), np.float32)[
            self.fine : self.fine + self.rows, self.fine : self.fine + self.columns
        ]

    def _shares(self, size: int) -> Plane:
        """(places, nodes): the share of each node in each place along a side of that many pixels."""
        shares = _weights(-(-size // _ROUND) * _ROUND, self.step, self.fine)
        places = size if self.fine == 1 else -(-size // self.fine) + 2
        return shares[:places, : _count(size, self.step)]


def _count(size: int, step: int) -> int:
    return -(-(size - 1) // step) + 4


# Faces differ in size by every pixel: sides are rounded up to so many, so that few tables are made.
_ROUND = 64


@lru_cache(maxsize=512)
def _weights(size: int, step: int, fine: int) -> Plane:
    """(places, nodes): the share of each node in each place along one side."""
    if fine == 1:
        places = np.arange(size, dtype=np.float64)
    else:
        places = (np.arange(-(-size // fine) + 2) - 1.0) * fine + (fine - 1) / 2
    # Places beyond the last node but one go on straight: they only fill the border that `fill` cuts off.
    whole = np.clip(np.floor(places / step), 0, _count(size, step) - 4).astype(int)
    t = places / step - whole
    shares = (
        (-0.5 * t + t**2 - 0.5 * t**3, 1 - 2.5 * t**2 + 1.5 * t**3),
        (0.5 * t + 2 * t**2 - 1.5 * t**3, -0.5 * t**2 + 0.5 * t**3),
    )
    weights = np.zeros((len(places), _count(size, step)), np.float32)
    for number, share in enumerate((*shares[0], *shares[1])):
        weights[np.arange(len(places)), whole + number] += share
    return weights
