"""A seamless piece of cloth to draw on, in centimetres: what leaves one side comes in at the other."""

from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Plane = NDArray[np.float32]

# A canvas has at least so many pixels a centimetre, and at least twice as many as its print.
_CANVAS_PER_CM = 20.0
# A tile has at most so many pixels a centimetre: from there on it is enlarged, as ink has no finer edges.
_MOST_PER_CM = 40.0
# Standard deviation of the blur by which ink spreads in yarn: what is printed has no razor-sharp edges.
_INK_SPREAD_CM = 0.02
# Binary digits of the fractions of cv2's coordinates.
_SHIFT = 4


@dataclass(frozen=True)
class Print:
    """A print's repeat, in neutral light: it continues itself at all four sides."""

    tile: Image  # (height, width, 3), BGR
    size_cm: tuple[float, float]  # (width, height)


class Cloth:
    """The canvas of one print: larger than the print, which `finish` reduces, so that edges are smooth.

    Convention: x to the right and y down, in centimetres from the upper left corner; the tile is periodic.
    """

    def __init__(
        self,
        size_cm: tuple[float, float],
        pixels_per_cm: float,
        ground: tuple[int, int, int],
        smooth: bool = False,
    ) -> None:
        """A canvas full of the ground colour; a ``smooth`` one, without edges, is as small as the print."""
        self.size_cm = size_cm
        self.pixels_per_cm = min(pixels_per_cm, _MOST_PER_CM)
        self._factor = 1 if smooth else max(2, ceil(_CANVAS_PER_CM / self.pixels_per_cm))
        width, height = (max(2, round(side * self.pixels_per_cm)) * self._factor for side in size_cm)
        self.bgr = np.full((height, width, 3), ground, np.uint8)
        self._scale = np.array([width, height], np.float64) / size_cm

    def places(self) -> tuple[Plane, Plane]:
        """The canvas' pixel centres in parts of the tile, 0 to 1: x is (1, width) and y is (height, 1)."""
        height, width = self.bgr.shape[:2]
        x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width)
        y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
        return x[None], y[:, None]

    def fill(
        self, polygons: NDArray[np.float64], colors: Image | tuple[int, int, int], wrap_down: bool = True
    ) -> None:
        """Fill polygons: (count, points, 2) in centimetres, in one colour or in one (count, 3) each.

        Without ``wrap_down``, what leaves at the bottom does not come in at the top.
        """
        if not len(polygons):
            return
        copies, owners = self._copies(polygons, wrap_down)
        each = np.broadcast_to(np.asarray(colors), (len(polygons), 3)).tolist()
        for polygon, owner in zip(copies, owners, strict=True):
            cv2.fillPoly(self.bgr, [polygon], each[owner], cv2.LINE_8, _SHIFT)

    def _copies(self, shapes: NDArray[np.float64], wrap_down: bool) -> tuple[NDArray[np.int32], list[int]]:
        """The shapes in fixed-point pixels, again where they cross a side, and each one's index.

        No shape may be larger than the tile.
        """
        size = np.array(self.bgr.shape[1::-1], np.float64)
        pixels = shapes * self._scale
        turns = np.floor(pixels.min(axis=1) / size) * (1.0, wrap_down)
        pixels -= (turns * size)[:, None] + 0.5
        beyond = (pixels.max(axis=1) >= size - 1) & (True, wrap_down)
        across, down = np.flatnonzero(beyond[:, 0]), np.flatnonzero(beyond[:, 1])
        corner = np.flatnonzero(beyond.all(axis=1))
        owners = np.concatenate([np.arange(len(shapes)), across, down, corner])
        # What lies over what is the same on both sides of a seam.
        order = np.argsort(owners, kind="stable")
        copies = np.concatenate(
            [pixels, pixels[across] - size * (1, 0), pixels[down] - size * (0, 1), pixels[corner] - size]
        )[order]
        return np.rint(copies * (1 << _SHIFT)).astype(np.int32), owners[order].tolist()

    def finish(self) -> Print:
        """The print: the canvas reduced to the print's resolution."""
        height, width = (side // self._factor for side in self.bgr.shape[:2])
        tile = cv2.resize(self.bgr, (width, height), interpolation=cv2.INTER_AREA)
        spread = _INK_SPREAD_CM * self.pixels_per_cm
        if spread > 0.4:
            around = 4
            tile = cv2.copyMakeBorder(tile, around, around, around, around, cv2.BORDER_WRAP)
            tile = cv2.GaussianBlur(tile, (0, 0), spread)[around:-around, around:-around]
        return Print(np.ascontiguousarray(tile, np.uint8), self.size_cm)
