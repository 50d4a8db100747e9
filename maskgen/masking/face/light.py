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
from maskgen.masking.face.eye_white import eye_white
from maskgen.masking.face.skin_weights import Summary, skin_weights
from maskgen.masking.kernels.planes import box_side
from maskgen.records import Image

Floats = NDArray[np.float32]

# Least eye distance in pixels after downscaling. Light varies slowly over a face, so little is lost.
_EYE_PIXELS = 8.0
# Standard deviations of the normalised convolution, in eye distances, the wider first.
_SPREADS = (0.55, 0.22)

# Medians over 769 photographs of FairFace: the logarithm of the brightest hundredth around the face, and the
# logarithms of red and blue relative to green, of the skin and of the edges.
_USUAL_BRIGHT = 5.25
_USUAL_SKIN_RED, _USUAL_SKIN_BLUE = 0.32, -0.20
_USUAL_RED, _USUAL_BLUE = 0.15, -0.09
# White masks in 43 photographs of them have a mean logarithm of 5.33 with a deviation of .15 only, whatever
# the skin's: cameras expose for the scene. Small deviations of the scene say little, large ones more.
_TRUST_BRIGHT, _ORDINARY_BRIGHT = 0.2, 0.3
# Templates are drawn as bright as white paper can be (logarithm _WHITE); photographs are seldom that bright.
_WHITE, _HEADROOM = 5.48, 0.07
# Bounds of the logarithm of a white mask. It is no darker than the skin. On a face in the shade, neither the
# eyes' white nor the skin is so much darker; in a dark image, neither the brightest hundredth nor the eyes'
# white is. Without eyes in view, skin and image decide.
_SHADE_EYES, _SHADE_SKIN, _SHADE_SKIN_ALONE = 1.31, 0.83, 1.23
_DARK_BRIGHT, _DARK_EYES = 0.27, 0.93
_TRUST_CAST, _ORDINARY = 0.88, 0.1
# Greatest logarithm of the strongest channel of white: coloured light does not clip it.
_CLIPPED = 5.52
# Light that lacks blue is warm: it has more red, by this share in the edges of 261 photographs. A yellow wall
# alone would make masks green.
_WARM = 0.66
# How far skins are from the usual one, as logarithms of blue and red: what is beyond is the light's colour.
_BLUEST, _REDDEST = 0.5, 0.33
_ENOUGH = 0.08  # mean weight at which the narrower window of the convolution counts half
# An image is monochrome if its colour depends on its luminance only. Its pixels are off their tone by no more
# grey levels than this, or than this share of the luminance; a strong tone adds a share of its own.
_OFF_TONE, _OF_LUMINANCE, _OF_TONE = 2.8, 0.04, 0.03


@dataclass(frozen=True, eq=False)
class Light:
    """The light on and around a face.

    Attributes:
        part: The downscaled part of the image in which the light was measured.
        gains: (3,) float32 BGR: factors for colours drawn in neutral light: exposure and colour cast.
        tone: (256, 1, 3) uint8: BGR by grey level if the image is monochrome (grey, sepia, blue), or None.
        strange: Area inside the face's outline, without eyes, brows, lips and nostrils, that hardly has
            the skin's light and colour, in square eye distances.
        weighted: (height, width, 4) float32 of the part's size: natural logarithms of BGR + 1 times the
            weight of a pixel as skin, and that weight.
        skin: (3,) float32: the skin's mean logarithms of BGR + 1.
        sides: Sides of the box filters of the normalised convolution, the wider first.
    """

    part: DownscaledRoi
    gains: Floats
    tone: Image | None
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
    off_tone = summary.off_tone - _OF_TONE * summary.toned
    monochrome = off_tone <= min(_OFF_TONE, _OF_LUMINANCE * summary.luminance)
    return Light(
        part=part,
        gains=_gains(summary, eye_white(image, landmarks), monochrome),
        tone=_tone(summary.tones) if monochrome else None,
        strange=summary.strange / max(eye, 1e-3) ** 2,
        weighted=weighted,
        skin=summary.skin.astype(np.float32),
        sides=(box_side(_SPREADS[0] * eye), box_side(_SPREADS[1] * eye)),
    )


def _gains(summary: Summary, eyes: float | None, monochrome: bool) -> Floats:
    """BGR gains of exposure and cast relative to the usual photograph; equal for a monochrome image."""
    skin = summary.skin.tolist()
    exposure = _TRUST_BRIGHT * _large(summary.bright - _USUAL_BRIGHT, _ORDINARY_BRIGHT) - _HEADROOM
    of_skin = sum(skin) / 3
    if eyes is None:
        most = min(of_skin + _SHADE_SKIN_ALONE, summary.bright + _DARK_BRIGHT)
    else:
        in_shade = max(eyes + _SHADE_EYES, of_skin + _SHADE_SKIN)
        most = min(in_shade, max(summary.bright + _DARK_BRIGHT, eyes + _DARK_EYES))
    exposure = max(min(exposure, most - _WHITE), of_skin - _WHITE)
    if monochrome:
        return np.full(3, math.exp(exposure), np.float32)
    blue, green, red = (math.log(value + 0.1) for value in summary.edges.tolist())
    bluish = _cast(skin[0] - skin[1] - _USUAL_SKIN_BLUE, blue - green - _USUAL_BLUE, _BLUEST)
    red_of_edges = red - green - _USUAL_RED
    if bluish < 0:
        red_of_edges = max(red_of_edges, -_WARM * bluish)
    reddish = _cast(skin[2] - skin[1] - _USUAL_SKIN_RED, red_of_edges, _REDDEST)
    # A cast changes no brightness, as far as the strongest channel is not clipped by it.
    exposure -= 0.114 * bluish + 0.299 * reddish
    exposure = min(exposure, _CLIPPED - _WHITE - max(bluish, reddish, 0.0))
    gains = math.exp(exposure + bluish), math.exp(exposure), math.exp(exposure + reddish)
    return np.array(gains, np.float32)


def _cast(of_skin: float, of_edges: float, most: float) -> float:
    """The light's cast along one colour axis, from the deviations of skin and edges from their medians.

    A colour that only the skin or only the surroundings have is theirs and not the light's, unless the skin
    is off by more than ``most``.
    """
    shared = min(abs(of_skin), abs(of_edges)) if of_skin * of_edges > 0 else 0.0
    cast = math.copysign(max(shared, abs(of_skin) - most), of_skin)
    return _TRUST_CAST * _large(cast, _ORDINARY)


def _large(deviation: float, ordinary: float) -> float:
    """The deviation, less where it is small: people and places differ by the ordinary one."""
    return deviation * abs(deviation) / (abs(deviation) + ordinary)


def _tone(tones: NDArray[np.float64]) -> Image:
    """(256, 1, 3) uint8: BGR by grey level, from a monochrome image's mean R - G and B - G."""
    seen = np.flatnonzero(tones[:, 0])
    levels, middles = np.arange(256.0), (seen + 0.5) * (256 / len(tones))
    red, blue = (np.interp(levels, middles, tones[seen, axis]) for axis in (1, 2))
    green = levels - 0.299 * red - 0.114 * blue
    bgr = np.stack([green + blue, green, green + red], axis=1)[:, None]
    return np.asarray(np.clip(np.rint(bgr), 0, 255), np.uint8)


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
