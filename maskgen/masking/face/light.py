"""The light on a face: its skin's colour, smoothed, continued over whatever is not skin; and its exposure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.downscaled import DownscaledRoi, reduce
from maskgen.masking.face.normalized_convolution import normalized_convolution
from maskgen.masking.face.skin_weights import skin_weights
from maskgen.masking.kernels.box_blur import box_side
from maskgen.records import Image

Floats = NDArray[np.float32]

# Light varies slowly over a face: at this many pixels between the eyes, or up to twice as many, little of it
# is lost.
_EYE_PIXELS = 8.0
# How wide the skin's answer is spread, in eye distances: the nearest that tells enough decides.
_SPREADS = (0.55, 0.22)

# What is usual: over 587 colour photographs of faces in LFW, UTKFace, CelebA and FairFace, the median
# logarithms of the skin's brightness, of the brightest twentieth around the face, and of red and blue against
# green.
_USUAL_SKIN, _USUAL_BRIGHT = float(np.log(136.0)), float(np.log(200.0))
_USUAL_SKIN_RED, _USUAL_SKIN_BLUE = 0.32, -0.20
_USUAL_RED, _USUAL_BLUE = 0.25, -0.17
# A dark skin is not a dark light: the brightest things near the face count for more than the skin does.
_TRUST_SKIN, _TRUST_BRIGHT = 0.33, 0.6
_TRUST_SKIN_CAST, _TRUST_CAST, _ORDINARY = 0.6, 0.9, 0.045
_BRIGHTER, _HEADROOM = 0.6, 0.14
# An image of which no larger share of pixels has a colour is grey.
_COLORED = 0.05


@dataclass(frozen=True, eq=False)
class Light:
    """The light on and around a face.

    Attributes:
        part: The part of the image that it was measured in.
        gains: (3,) float32 BGR: what the photograph's exposure and cast make of something drawn in neutral
            light.
        grey: Whether the image is grey.
        strange: Area inside the face's outline, without eyes, brows, lips and nostrils, that is hardly of
            the skin's light and colour, in square eye distances.
        weighted: (height, width, 4) float32 of the part's size: natural logarithm of BGR + 1 times the weight
            of a pixel as skin, and that weight.
        skin: (3,) float32: their mean.
        sides: Of the box filters that spread the skin's light, the wider first.
    """

    part: DownscaledRoi
    gains: Floats
    grey: bool
    strange: float
    weighted: Floats
    skin: Floats
    sides: tuple[int, int]

    @cached_property
    def log_bgr(self) -> Floats:
        """(height, width, 3) float32 of the part's size: the skin's logarithms, smoothed and continued."""
        return normalized_convolution(self.weighted, self.skin, self.sides)

    @cached_property
    def level(self) -> Floats:
        """(height, width) float32: the mean of its three channels."""
        return np.asarray(self.log_bgr.mean(axis=2), np.float32)


def measure_light(image: Image, landmarks: Landmarks) -> Light:
    """Measure the light on a face and in its surroundings, as far as half its own size around it.

    Args:
        image: (height, width, 3) uint8 BGR.
        landmarks: The face.
    """
    x, y, width, height = landmarks.box
    box = (x - width / 2, y - height / 2, x + 1.5 * width, y + 1.5 * height)
    part = reduce(image, box, _EYE_PIXELS / max(landmarks.eye_distance, 1.0))
    weighted, told = skin_weights(np.ascontiguousarray(part.bgr), landmarks.points, part.corner, part.step)
    eye = landmarks.eye_distance / part.step
    gains, grey = _exposure(told.tolist())
    return Light(
        part=part,
        gains=gains,
        grey=grey,
        strange=float(told[9]) / max(eye, 1e-3) ** 2,
        weighted=weighted,
        skin=told[:3].astype(np.float32),
        sides=(box_side(_SPREADS[0] * eye), box_side(_SPREADS[1] * eye)),
    )


def _exposure(told: list[float]) -> tuple[Floats, bool]:
    """Exposure and colour cast of the photograph, against what is usual, and whether it is grey.

    Args:
        told: What `skin_weights` sums up.
    """
    skin, mean, bright, colored, pixels = told[:3], told[3:6], *told[6:9]
    exposure = _TRUST_SKIN * (sum(skin) / 3 - _USUAL_SKIN) + _TRUST_BRIGHT * (bright - _USUAL_BRIGHT)
    # White paper is drawn as white as a photograph gets, and is seldom quite that white in one.
    exposure -= _HEADROOM
    exposure *= _BRIGHTER if exposure > 0 else 1.0
    if colored <= _COLORED * pixels:
        return np.full(3, math.exp(exposure), np.float32), True
    reddish = _cast(skin[2] - skin[1] - _USUAL_SKIN_RED, mean[2] - mean[1] - _USUAL_RED)
    bluish = _cast(skin[0] - skin[1] - _USUAL_SKIN_BLUE, mean[0] - mean[1] - _USUAL_BLUE)
    # A cast changes no brightness.
    exposure -= 0.114 * bluish + 0.299 * reddish
    gains = math.exp(exposure + bluish), math.exp(exposure), math.exp(exposure + reddish)
    return np.array(gains, np.float32), False


def _cast(of_skin: float, of_picture: float) -> float:
    """The light's cast along one axis, from how far skin and image are from what is usual.

    Small differences are people and places rather than light, and count for little.
    """
    away = _TRUST_SKIN_CAST * of_skin + (1 - _TRUST_SKIN_CAST) * of_picture
    return _TRUST_CAST * away * abs(away) / (abs(away) + _ORDINARY)
