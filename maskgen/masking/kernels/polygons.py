"""Polygons through points of the face mesh, filled in a downscaled part of an image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Corners = NDArray[np.int32]

# Corners farther away, NaN included, are moved to this distance: OpenCV's coordinates would overflow.
_FARTHEST = 1 << 14


def place_corners(
    points: NDArray[np.float32], indices: NDArray[np.int64], corner: tuple[int, int], step: int
) -> Corners:
    """(n, 2) int32: the nearest pixels of some points, in a downscaled part of their image.

    Args:
        points: (m, 2 or more) float32, x and y in pixels of the image.
        indices: (n,) rows of ``points``.
        corner: (x, y) of the part, in pixels of the image.
        step: Image pixels for one of the part's.
    """
    places = (points[indices, :2] - np.array(corner) + 0.5) / step - 0.5
    places = np.nan_to_num(np.clip(places, -_FARTHEST, _FARTHEST), nan=-_FARTHEST)
    return np.asarray(np.rint(places), np.int32)


def fill_polygon(plane: Image, corners: Corners, value: int) -> None:
    """Fill a polygon, border included, in a (height, width) uint8 plane."""
    cv2.fillPoly(plane, [corners], [value])


def fill_hull(plane: Image, corners: Corners, value: int) -> None:
    """Fill the convex hull of some points, border included, in a (height, width) uint8 plane."""
    cv2.fillConvexPoly(plane, cv2.convexHull(corners), [value])
