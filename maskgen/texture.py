"""How sharp and how grainy a picture is around a face, so that a layer can be given the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.edges import SHARPEST, edge_width, look_closely, noise
from maskgen.records import Image, Landmarks

Floats = NDArray[np.float32]

# What is looked at, beside, above and below the middle of the eyes in eye distances: the eyes, the brows and
# the nose tell a sharp face's blur, what is bare between them its grain. A softer face is asked as a whole.
_BETWEEN_EYES = 6
_NEAR, _FAR = (0.7, 0.4, 0.5), (0.85, 0.6, 1.3)
_SOFT = 1.6
# Such a face is asked with more patience: its edges are blurred once more by so many pixels.
_PATIENCE = 1.5
# A part of fewer pixels a side tells nothing.
_LEAST = 8
# Of a large face no more than this many pixels a side.
_LARGEST = 256


@dataclass(frozen=True)
class Texture:
    """What a camera and its encoder did to the picture around a face.

    Attributes:
        blur: Standard deviation in pixels of the Gaussian that edges look blurred by.
        grain: Standard deviation in grey levels of the noise in brightness.
        color_grain: Likewise of the noise in the difference of two channels.
    """

    blur: float
    grain: float
    color_grain: float


def measure_texture(image: Image, landmarks: Landmarks) -> Texture:
    """Measure blur and grain on the face itself."""
    near, far = (_around_eyes(image, landmarks, reaches) for reaches in (_NEAR, _FAR))
    if min(near[2] - near[0], near[3] - near[1]) < _LEAST:
        return Texture(SHARPEST, 0.0, 0.0)
    return Texture(*look_closely(np.ascontiguousarray(image), near, far, _SOFT, _PATIENCE))


def _around_eyes(
    image: Image, landmarks: Landmarks, reaches: tuple[float, float, float]
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) as far beside, above and below the middle of the eyes, in the image."""
    (x, y, _), (height, width) = landmarks.points[_BETWEEN_EYES].tolist(), image.shape[:2]
    beside, above, below = (min(reach * landmarks.eye_distance, _LARGEST / 2) for reach in reaches)
    left, top = max(0, int(x - beside)), max(0, int(y - above))
    return left, top, min(int(x + beside) + 1, width), min(int(y + below) + 1, height)


def noise_level(plane: Floats) -> float:
    """Standard deviation of the noise in the calmer part of a (height, width) float32 picture.

    The second difference in both directions leaves noise and takes away slopes and straight edges (Immerkaer,
    "Fast noise variance estimation", 1996); the calmer blocks are those without texture.
    """
    return noise(np.ascontiguousarray(plane))


def edge_blur(grey: Floats, grain: float, again: float = 1.0) -> float:
    """Blur of the sharpest edges of a (height, width) float32 picture, in pixels.

    An edge blurred by s and again by r has a gradient smaller by sqrt(s^2 / (s^2 + r^2)) (Zhuo and Sim,
    "Defocus map estimation from a single image", 2011). Strong edges are asked, and the sharper ones among
    them believed. ``again`` is r, in pixels.
    """
    return edge_width(np.ascontiguousarray(grey), grain, again)
