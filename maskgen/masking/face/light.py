"""The light on a face: the skin's colour, smoothed and extended over non-skin pixels, and the exposure."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.downscaled import DownscaledRoi, downscale
from maskgen.masking.face.skin_weights import skin_weights
from maskgen.masking.kernels.planes import box_side
from maskgen.records import Image

Floats = NDArray[np.float32]

# Least eye distance in pixels after downscaling. Light varies slowly over a face, so little is lost.
_EYE_PIXELS = 8.0
# Standard deviations of the normalised convolution, in eye distances, the wider first.
_SPREADS = (0.55, 0.22)

# Medians over 587 colour photographs of faces in LFW, UTKFace, CelebA and FairFace: logarithms of the skin's
# brightness, of the brightest twentieth around the face, and of red and blue relative to green.
_USUAL_SKIN, _USUAL_BRIGHT = float(np.log(136.0)), float(np.log(200.0))
_USUAL_SKIN_RED, _USUAL_SKIN_BLUE = 0.32, -0.20
_USUAL_RED, _USUAL_BLUE = 0.25, -0.17
# A dark skin is not a dark light: the brightest things near the face count more than the skin does.
_TRUST_SKIN, _TRUST_BRIGHT = 0.33, 0.6
_TRUST_SKIN_CAST, _TRUST_CAST, _ORDINARY = 0.6, 0.9, 0.045
_BRIGHTER, _HEADROOM = 0.6, 0.14
_ENOUGH = 0.08  # mean weight at which the narrower window of the convolution counts half
# An image is grey if no larger share of its pixels has a colour.
_COLORED = 0.05


@dataclass(frozen=True, eq=False)
class Light:
    """The light on and around a face.

    Attributes:
        part: The downscaled part of the image in which the light was measured.
        gains: (3,) float32 BGR: factors for colours drawn in neutral light: exposure and colour cast.
        grey: Whether the image is grey.
        strange: Area inside the face's outline, without eyes, brows, lips and nostrils, that hardly has
            the skin's light and colour, in square eye distances.
        weighted: (height, width, 4) float32 of the part's size: natural logarithms of BGR + 1 times the
            weight of a pixel as skin, and that weight.
        skin: (3,) float32: the skin's mean logarithms of BGR + 1.
        sides: Sides of the box filters of the normalised convolution, the wider first.
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
        """(height, width, 3) float32 of the part's size: the skin's logarithms, smoothed and extended."""
        return normalized_convolution(self.weighted, self.skin, self.sides)[:, :, :3]

    @cached_property
    def level(self) -> Floats:
        """(height, width) float32: the mean of `log_bgr` over the channels."""
        blue, green, red = cv2.split(self.log_bgr)
        return np.asarray((blue + green + red) / np.float32(3), np.float32)


def measure_light(image: Image, landmarks: Landmarks) -> Light:
    """Measure the light on a face and around it, with a margin of half the face's size."""
    x, y, width, height = landmarks.box
    box_ltrb = (x - width / 2, y - height / 2, x + 1.5 * width, y + 1.5 * height)
    part = downscale(image, box_ltrb, _EYE_PIXELS / max(landmarks.eye_distance, 1.0))
    weighted, summary = skin_weights(np.ascontiguousarray(part.bgr), landmarks.points, part.corner, part.step)
    eye = landmarks.eye_distance / part.step
    gains, grey = _exposure(summary.tolist())
    return Light(
        part=part,
        gains=gains,
        grey=grey,
        strange=float(summary[9]) / max(eye, 1e-3) ** 2,
        weighted=weighted,
        skin=summary[:3].astype(np.float32),
        sides=(box_side(_SPREADS[0] * eye), box_side(_SPREADS[1] * eye)),
    )


def _exposure(summary: list[float]) -> tuple[Floats, bool]:
    """BGR gains of exposure and cast relative to the usual photograph, and whether the image is grey."""
    skin, mean, bright, colored, pixels = summary[:3], summary[3:6], *summary[6:9]
    exposure = _TRUST_SKIN * (sum(skin) / 3 - _USUAL_SKIN) + _TRUST_BRIGHT * (bright - _USUAL_BRIGHT)
    # Templates are drawn as bright as white paper can be; photographs are seldom that bright.
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


def _cast(of_skin: float, of_image: float) -> float:
    """The light's cast along one colour axis, from the deviations of skin and image from their medians.

    Small deviations come from people and places rather than from the light, so they count little.
    """
    away = _TRUST_SKIN_CAST * of_skin + (1 - _TRUST_SKIN_CAST) * of_image
    return _TRUST_CAST * away * abs(away) / (abs(away) + _ORDINARY)


def normalized_convolution(weighted: Floats, usual: Floats, sides: tuple[int, int]) -> Floats:
    """Extend known values over other pixels (Knutsson and Westin, "Normalized convolution", 1993).

    It goes from coarse to fine: where no known value is near, the wider window decides.

    Args:
        weighted: (height, width, 4) float32: three values times their weight, and the weight.
        usual: (3,) float32: the default values.
        sides: Sides of the wider and the narrower box filter in pixels, both odd; each is run twice.

    Returns:
        (height, width, 4) float32: the three values, and 1.
    """
    known: Any = (*(_ENOUGH * value for value in usual.tolist()), _ENOUGH)
    for side in sides:
        near: Any = weighted
        for _ in range(2):
            near = cv2.boxFilter(near, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
        near = cv2.add(near, known)
        result = cv2.divide(near, cv2.merge([cv2.extractChannel(near, 3)] * 4))
        known = result * np.float32(_ENOUGH)
    return np.asarray(result, np.float32)
