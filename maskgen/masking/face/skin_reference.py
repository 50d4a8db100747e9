"""Light and colour of each pixel relative to the face's own bare skin (one numba kernel)."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import FACE_OVAL
from maskgen.jit import compiled
from maskgen.masking.kernels.planes import Outlines, fill_hull
from maskgen.masking.kernels.quickselect import select
from maskgen.records import Image

Floats = NDArray[np.float32]

# Patches of the face mesh that are bare skin in nearly every face: both inner cheeks and the nose bridge.
CHEEKS = ((117, 118, 119, 101, 36, 205, 50), (346, 347, 348, 330, 266, 425, 280))
_NOSE = (6, 197, 195, 5, 45, 275, 122, 351)
_LEAST_PIXELS = 12
# In 465 faces turned by at most 22 degrees, nearly all corners of the mesh's hull are points of the oval or
# of this list.
_BESIDE = (
    *(34, 71, 123, 135, 137, 138, 147, 177, 213, 215, 227),
    *(264, 301, 352, 364, 366, 367, 376, 401, 433, 435, 447),
)
_OUTLINES = Outlines((*FACE_OVAL, *_BESIDE), *CHEEKS, _NOSE)

# Added to a colour before its logarithm: otherwise the noise of dark pixels reads as colour.
_DARK = 10.0
_LOGARITHM = np.log(np.arange(256.0) + _DARK).astype(np.float32)
_THIRD = np.float32(1 / 3)

_TOO_DARK = np.float32(-1.4)  # logarithm of the light below which a colour is unclear
_CLIPPED = 252  # least channel value at which a colour is unclear
# Added to the distance beyond grey before it is compared to the distance from the line.
_GREY_MARGIN = np.float32(0.05)


def compare_to_reference(
    bgr: Image, points: Floats, corner: tuple[int, int], step: int
) -> tuple[Floats, Floats, Floats, Image, float] | None:
    """Compare each pixel to the bare skin; None if no bare skin is in view.

    Args:
        bgr: (height, width, 3) uint8, a downscaled part of an image.
        points: (468, 3) float32: the face mesh, in pixels of the image.
        corner: (x, y) of the part, in pixels of the image.
        step: Image pixels for one of the part's.

    Returns:
        light, strangeness, greyness, face (uint8, 1 inside) and chroma of
        `maskgen.masking.face.skin_view.SkinView`.
    """
    bare, face = np.zeros(bgr.shape[:2], np.uint8), np.zeros(bgr.shape[:2], np.uint8)
    whole, *patches = _OUTLINES.place(points, corner, step)
    for patch in patches:
        fill_hull(bare, patch, 1)
    fill_hull(face, whole, 1)
    if (count := cv2.countNonZero(bare)) < _LEAST_PIXELS:
        return None
    light, strangeness, greyness, chroma = _compare(bgr, bare, count)
    return light, strangeness, greyness, face, chroma


@compiled
def _compare(bgr: Image, plane: Image, bare: int) -> tuple[Floats, Floats, Floats, float]:
    """plane: (height, width) uint8, nonzero on bare skin; bare: pixels of bare skin."""
    height, width = bgr.shape[:2]
    planes, order = np.empty((3, height, width), np.float32), np.empty((3, bare), np.float32)
    k = 0
    for y in range(height):
        pixels, lights, reds, blues, flagged = bgr[y], planes[0, y], planes[1, y], planes[2, y], plane[y]
        for x in range(width):
            b, g, r = _LOGARITHM[pixels[x, 0]], _LOGARITHM[pixels[x, 1]], _LOGARITHM[pixels[x, 2]]
            lights[x], reds[x], blues[x] = (b + g + r) * _THIRD, r - g, b - np.float32(0.5) * (g + r)
        for x in range(width):
            if flagged[x]:
                order[0, k], order[1, k], order[2, k] = lights[x], reds[x], blues[x]
                k += 1
    usual_light = np.float32(select(order[0], bare, bare // 2))
    usual_red = np.float32(select(order[1], bare, bare // 2))
    usual_blue = np.float32(select(order[2], bare, bare // 2))
    chroma = math.sqrt(usual_red * usual_red + usual_blue * usual_blue)
    to_x = np.float32(-usual_red / max(chroma, 1e-3))
    to_y = np.float32(-usual_blue / max(chroma, 1e-3))
    to_grey = np.float32(1 / max(chroma, 1e-3))
    for y in range(height):
        pixels, lights, reds, blues = bgr[y], planes[0, y], planes[1, y], planes[2, y]
        for x in range(width):
            red, blue, light = reds[x], blues[x], lights[x] - usual_light
            beyond = red * to_x + blue * to_y
            across = abs((red - usual_red) * to_y - (blue - usual_blue) * to_x)
            brightest = max(pixels[x, 0], pixels[x, 1], pixels[x, 2])
            unclear = (brightest >= _CLIPPED) | (light < _TOO_DARK)
            lights[x], reds[x] = light, np.float32(0) if unclear else max(across, beyond + _GREY_MARGIN)
            blues[x] = 1 + beyond * to_grey
    return planes[0], planes[1], planes[2], chroma
