"""How unlike a face's own bare skin each pixel of the lower face is, in light and in colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Patches of the face mesh that are bare in nearly every face: both inner cheeks, and the nose's bridge.
CHEEKS = ((117, 118, 119, 101, 36, 205, 50), (346, 347, 348, 330, 266, 425, 280))
_NOSE = (6, 197, 195, 5, 45, 275, 122, 351)
_LEAST_PIXELS = 12

# Added to a colour before its logarithm, so that the noise of dark pixels is not taken for colour.
_DARK = 10.0
_LOGARITHM = np.log(np.arange(256, dtype=np.float32) + _DARK)

_TOO_DARK = -1.4  # logarithm of the light below which a colour cannot be told
_CLIPPED = 252  # a channel from which on it cannot be told either


@dataclass(frozen=True, eq=False)
class FaceView:
    """A face at the size it is looked at, measured against its own bare skin.

    Light is the logarithm of the brightness, 0 that of the bare skin. Colour is two logarithms of ratios
    between channels, in which grey is the origin. Shadow, beard and reflections move a skin's colour along
    the line towards grey, so a colour is told by where it lies on that line and how far off it.

    Attributes:
        points: (468, 2) float32 in pixels of the view.
        eye: Distance of the outer eye corners in pixels of the view.
        chroma: How far the skin's colour is from grey.
        light: (height, width) float32.
        beyond: (height, width) float32: along the line from the skin's colour to grey; positive beyond grey.
        across: (height, width) float32: distance from that line.
        unclear: (height, width) bool: too dark or too bright for the colour to be told.
        depth: (height, width) float32: distance to the face's outline, 0 outside; the view's own border
            is no outline.
    """

    points: Floats
    eye: float
    chroma: float
    light: Floats
    beyond: Floats
    across: Floats
    unclear: Flags
    depth: Floats

    def shade(self, outline: tuple[int, ...]) -> float:
        """The median light inside the hull of those mesh points; very dark if they are out of view."""
        light = self.light[self.inside(outline)]
        return _median(light) if light.size else -9.0

    def inside(self, outline: tuple[int, ...]) -> Flags:
        """(height, width) bool: the hull of those mesh points."""
        return _hull(self.light.shape, self.points[list(outline)])


def view_face(small: Image, points: Floats, eye: float) -> FaceView | None:
    """Measure light and colour against those of the bare skin.

    Args:
        small: (height, width, 3) uint8 BGR: the lower face with a margin.
        points: (468, 2) float32: the face mesh in pixels of ``small``.
        eye: Distance of the outer eye corners in pixels of ``small``.

    Returns:
        The view, or None where no bare skin is in it.
    """
    blue, green, red = cv2.split(cv2.LUT(small, _LOGARITHM))
    light = (blue + green + red) / 3
    warm, cold = red - green, blue - (green + red) / 2
    bare = np.zeros(light.shape, np.bool_)
    for outline in (*CHEEKS, _NOSE):
        bare |= _hull(light.shape, points[list(outline)])
    if np.count_nonzero(bare) < _LEAST_PIXELS:
        return None
    light -= _median(light[bare])
    skin = (_median(warm[bare]), _median(cold[bare]))
    chroma = float(np.hypot(*skin))
    x, y = (-value / max(chroma, 1e-3) for value in skin)
    face = cv2.copyMakeBorder(_hull(light.shape, points).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return FaceView(
        points=points,
        eye=eye,
        chroma=chroma,
        light=light,
        beyond=warm * x + cold * y,
        across=np.abs((warm - skin[0]) * y - (cold - skin[1]) * x),
        unclear=(light < _TOO_DARK) | (small.max(axis=2) >= _CLIPPED),
        depth=np.asarray(cv2.distanceTransform(face, cv2.DIST_L2, 3), np.float32)[1:-1, 1:-1],
    )


def _hull(shape: tuple[int, ...], points: Floats) -> Flags:
    inside = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(points).astype(np.int32)), [1])
    return inside > 0


def _median(values: Floats) -> float:
    """The upper median: np.median's mean of two costs five times as much on a few values."""
    middle = values.size // 2
    return float(np.partition(values, middle)[middle])
