"""The light on a face: its skin's colour, smoothed, continued over whatever is not skin.

Hair, background, lips, eyes and beard say nothing of the light that falls on the face, so only skin is asked,
and its answer is spread into the rest by normalised convolution (Knutsson and Westin, 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.anchors import FACE_OVAL
from maskgen.quick import box_side, upper_median
from maskgen.records import Image, Landmarks
from maskgen.reduced import Reduced, reduce

Floats = NDArray[np.float32]

# Light varies slowly over a face: at this many pixels between the eyes, or up to twice as many, little of it
# is lost.
_EYE_PIXELS = 8.0
# How wide the skin's answer is spread, in eye distances: the nearest that tells enough decides.
_SPREADS = (0.55, 0.22)
_ENOUGH = 0.08  # weight of skin that does

# Outlines in the face mesh that are not skin: both eyes with their brows, the lips, the nostrils.
_NOT_SKIN = (
    (70, 63, 105, 66, 107, 133, 155, 145, 163, 33),
    (300, 293, 334, 296, 336, 362, 382, 374, 390, 263),
    (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),
    (98, 97, 2, 326, 327, 4),
)

# Luminance, red-green and blue-yellow of a logarithmic BGR colour, over their spreads: colours this far from
# the skin's median, in natural logarithms along those axes, count about half.
_AXES = np.array([[1 / 3, 1 / 3, 1 / 3], [0.0, -1.0, 1.0], [1.0, -0.5, -0.5]], np.float32)
_AXES /= np.array([[1.0], [0.32], [0.5]], np.float32)
# Keeps a slope flat where few pixels tell of it.
_FLAT = np.diag([0.0, 1e-3, 1e-3]).astype(np.float32)
_STRANGE = 0.2  # trust below which a pixel is hardly skin
_MEAN = np.full(3, 1 / 3, np.float32)
_LOGARITHM = np.log1p(np.arange(256, dtype=np.float32))

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
# Channels of a grey picture differ by no more, but for a few pixels.
_GREY, _COLORED = 2, 0.05


@dataclass(frozen=True, eq=False)
class Light:
    """The light on and around a face.

    Attributes:
        log_bgr: (height, width, 3) float32 of the reduced part's size: natural logarithm of the skin's
            BGR + 1, smoothed and continued.
        level: (height, width) float32: the mean of its three channels.
        part: The part of the image that it was measured in.
        gains: (3,) float32 BGR: what the photograph's exposure and cast make of something drawn in neutral
            light.
        grey: Whether the picture is grey.
        strange: Area inside the face's outline, without eyes, brows, lips and nostrils, that is hardly of
            the skin's light and colour, in square eye distances.
    """

    log_bgr: Floats
    level: Floats
    part: Reduced
    gains: Floats
    grey: bool
    strange: float


def measure_light(image: Image, landmarks: Landmarks) -> Light:
    """Measure the light on a face and in its surroundings, as far as half its own size around it.

    Args:
        image: (height, width, 3) uint8 BGR.
        landmarks: The face.
    """
    x, y, width, height = landmarks.box
    box = (x - width / 2, y - height / 2, x + 1.5 * width, y + 1.5 * height)
    part = reduce(image, box, _EYE_PIXELS / max(landmarks.eye_distance, 1.0))
    logarithm = np.asarray(cv2.LUT(part.bgr, _LOGARITHM), np.float32)
    eye = landmarks.eye_distance / part.step
    weight, strange = _skin_weight(logarithm, part.points(landmarks.points[:, :2]))
    channels = cv2.merge([logarithm * weight[:, :, None], weight])
    blue, green, red, total = cv2.sumElems(channels)
    skin = np.array((blue, green, red), np.float32) / np.float32(max(total, 1e-6))
    smoothed = _spread(np.asarray(channels, np.float32), skin, eye)
    gains, grey = _exposure(part.bgr, logarithm, skin)
    return Light(smoothed, smoothed @ _MEAN, part, gains, grey, strange / max(eye, 1e-3) ** 2)


def _skin_weight(logarithm: Floats, points: Floats) -> tuple[Floats, int]:
    """(height, width) float32 in [0, 1]: how surely each pixel is skin of this face, and how many are not."""
    face = np.zeros(logarithm.shape[:2], np.uint8)
    corners = np.round(points).astype(np.int32)
    cv2.fillPoly(face, [corners[list(FACE_OVAL)]], [1])
    for outline in _NOT_SKIN:
        cv2.fillPoly(face, [corners[list(outline)]], [0])
    at = np.flatnonzero(face)
    if len(at) == 0:
        return np.ones(face.shape, np.float32), 0
    opponent = np.take(logarithm.reshape(-1, 3), at, axis=0) @ _AXES.T
    away = opponent[:, 1:] - upper_median(opponent[:, 1:])
    colored = np.square(away[:, 0]) + np.square(away[:, 1])
    light = np.ascontiguousarray(opponent[:, 0])
    # Brightness is compared with a slope over the face, not with one level: the shaded side is skin too.
    places = np.ones((3, len(at)), np.float32)
    places[1] = (at % face.shape[1]) / np.float32(face.shape[1])
    places[2] = (at // face.shape[1]) / np.float32(face.shape[0])
    # The first guess goes by colour alone.
    moments = places / (1 + np.square(colored))
    slope = np.linalg.solve(moments @ places.T + np.float32(len(at)) * _FLAT, moments @ light)
    trust = 1 / (1 + np.square(np.square(light - slope @ places) + colored))
    weight = np.zeros(face.size, np.float32)
    weight[at] = trust
    return weight.reshape(face.shape), np.count_nonzero(trust < _STRANGE)


def _spread(channels: Floats, skin: Floats, eye: float) -> Floats:
    """Normalised convolution, coarse to fine: where no skin is near, a wider look decides.

    Args:
        channels: (height, width, 4) float32: values times weight, and weight.
        skin: (3,) float32: their weighted mean.
        eye: Eye distance in pixels.
    """
    result: Floats = skin * np.float32(_ENOUGH)
    for width in _SPREADS:
        side = box_side(width * eye)
        near = channels
        for _ in range(2):
            near = np.asarray(cv2.blur(near, (side, side), borderType=cv2.BORDER_CONSTANT), np.float32)
        result = (near[:, :, :3] + result) / (near[:, :, 3:] + np.float32(_ENOUGH))
        result *= np.float32(_ENOUGH)
    return result / np.float32(_ENOUGH)


def _exposure(small: Image, logarithm: Floats, skin: Floats) -> tuple[Floats, bool]:
    """Exposure and colour cast of the photograph, against what is usual, and whether it is grey."""
    blue, green, red = cv2.split(small)
    widest = cv2.max(cv2.absdiff(blue, green), cv2.max(cv2.absdiff(green, red), cv2.absdiff(blue, red)))
    colored = cv2.countNonZero(cv2.threshold(widest, _GREY, 1, cv2.THRESH_BINARY)[1])
    grey = colored <= _COLORED * widest.size
    mean, level = cv2.mean(logarithm), logarithm.reshape(-1, 3) @ _MEAN
    at = int(0.95 * (len(level) - 1))
    bright = float(np.partition(level, at)[at])
    exposure = _TRUST_SKIN * (float(skin.mean()) - _USUAL_SKIN) + _TRUST_BRIGHT * (bright - _USUAL_BRIGHT)
    # White paper is drawn as white as a photograph gets, and is seldom quite that white in one.
    exposure -= _HEADROOM
    exposure *= _BRIGHTER if exposure > 0 else 1.0
    if grey:
        return np.full(3, np.exp(exposure), np.float32), True
    reddish = _cast(skin[2] - skin[1] - _USUAL_SKIN_RED, mean[2] - mean[1] - _USUAL_RED)
    bluish = _cast(skin[0] - skin[1] - _USUAL_SKIN_BLUE, mean[0] - mean[1] - _USUAL_BLUE)
    cast = np.array([bluish, 0.0, reddish])
    cast -= cast @ (0.114, 0.587, 0.299)
    return np.exp(exposure + cast).astype(np.float32), False


def _cast(of_skin: float, of_picture: float) -> float:
    """The light's cast along one axis, from how far skin and picture are from what is usual.

    Small differences are people and places rather than light, and count for little.
    """
    away = _TRUST_SKIN_CAST * float(of_skin) + (1 - _TRUST_SKIN_CAST) * float(of_picture)
    return _TRUST_CAST * away * abs(away) / (abs(away) + _ORDINARY)
