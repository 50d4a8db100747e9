"""Functions of uint8 planes: outlines of mesh points as polygons, and an approximate Gaussian blur."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Corners = NDArray[np.int32]

# Corners farther away, NaN included, are moved to this distance: OpenCV's coordinates would overflow.
_FARTHEST = 1 << 14


class Outlines:
    """Several outlines of the face mesh, placed in one step.

    Args:
        outlines: Each a sequence of indices of mesh points.
    """

    def __init__(self, *outlines: Sequence[int]) -> None:
        self._indices = np.concatenate([np.array(outline) for outline in outlines])
        ends = np.cumsum([len(outline) for outline in outlines]).tolist()
        self._spans = [slice(end - len(outline), end) for end, outline in zip(ends, outlines, strict=True)]

    def place(self, points: NDArray[np.float32], corner: tuple[int, int], step: int) -> list[Corners]:
        """(n, 2) int32 for each outline: the nearest pixels of its points in a downscaled part of the image.

        points: (468, 2 or more) float32, x and y in pixels of the image; corner: (x, y) of the part in them.
        """
        offset = (0.5 - corner[0]) / step - 0.5, (0.5 - corner[1]) / step - 0.5
        places = points.take(self._indices, axis=0)[:, :2] * (1 / step) + np.array(offset)
        # `fmin` also replaces NaN.
        np.fmax(np.fmin(places, _FARTHEST, out=places), -_FARTHEST, out=places)
        pixels = np.rint(places, out=places).astype(np.int32)
        return [pixels[span] for span in self._spans]


def fill_hull(plane: Image, corners: Corners, value: int) -> None:
    """Fill the convex hull of some points, border included, in a (height, width) uint8 plane."""
    cv2.fillConvexPoly(plane, cv2.convexHull(corners), [value])


def box_side(sigma: float) -> int:
    """Odd side of the box filter that, applied twice, approximates a Gaussian of standard deviation sigma.

    A box of side b has a variance of (b^2 - 1) / 12. The cost of a box filter does not depend on its side.
    """
    return 2 * round((math.sqrt(6 * sigma**2 + 1) - 1) / 2) + 1


def box_blur(plane: Image, side: int) -> Image:
    """Blur a (height, width) uint8 plane by a box filter applied twice; `box_side` gives its side."""
    once = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(once, (side, side), borderType=cv2.BORDER_REPLICATE), np.uint8)
