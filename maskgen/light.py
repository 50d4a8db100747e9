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
from maskgen.records import Image, Landmarks

# Light varies slowly over a face: at this many pixels between the eyes nothing of it is lost.
_EYE_PIXELS = 24.0
_SMOOTHING = 0.22  # of the eye distance

# Outlines in the face mesh that are not skin: both eyes with their brows, the lips, the nostrils.
_NOT_SKIN = (
    (70, 63, 105, 66, 107, 133, 155, 145, 163, 33),
    (300, 293, 334, 296, 336, 362, 382, 374, 390, 263),
    (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),
    (98, 97, 2, 326, 327, 4),
)

# Luminance, red-green and blue-yellow of a logarithmic BGR colour.
_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [0.0, -1.0, 1.0], [1.0, -0.5, -0.5]], dtype=np.float32)
# Colours this far from the skin's median, in natural logarithms along those axes, count about half.
_SPREAD = np.array([1.0, 0.32, 0.5], dtype=np.float32)
# Keeps a slope flat where few pixels tell of it.
_FLAT = np.diag([0.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class SkinLight:
    """The smoothed skin colour over a rectangle of the image, at reduced size.

    Attributes:
        log_bgr: (height, width, 3) float32: natural logarithm of BGR + 1, smoothed.
        scale: Pixels of ``log_bgr`` for one pixel of the image.
        origin: (x, y) in the image of the rectangle's top left corner.
    """

    log_bgr: NDArray[np.float32]
    scale: float
    origin: tuple[int, int]


def skin_light(image: Image, landmarks: Landmarks, box: tuple[int, int, int, int]) -> SkinLight:
    """Measure the light on the face over ``box``.

    Args:
        image: (height, width, 3) uint8 BGR.
        landmarks: The face.
        box: (x, y, width, height) in whole pixels; may lie partly outside the image.

    Returns:
        The light over the box and never less than one pixel of it.
    """
    x, y, width, height = box
    scale = float(min(1.0, _EYE_PIXELS / max(landmarks.eye_distance, 1.0)))
    # The face itself is always in view, even where the box shows little of it.
    fx, fy, fw, fh = landmarks.box
    x0, y0 = int(min(x, np.floor(fx))), int(min(y, np.floor(fy)))
    x1, y1 = int(max(x + width, np.ceil(fx + fw))), int(max(y + height, np.ceil(fy + fh)))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    small = cv2.resize(_cut(image, x0, y0, x1, y1), size, interpolation=cv2.INTER_AREA)
    logarithm = np.log1p(small.astype(np.float32))
    weight = _skin_weight(logarithm, (landmarks.points[:, :2] - (x0, y0)) * scale)
    sigma = _SMOOTHING * landmarks.eye_distance * scale
    smoothed = _spread(logarithm, weight, sigma)
    left, top = int((x - x0) * scale), int((y - y0) * scale)
    right = max(left + 1, round((x + width - x0) * scale))
    bottom = max(top + 1, round((y + height - y0) * scale))
    return SkinLight(smoothed[top:bottom, left:right], scale, (x, y))


def _cut(image: Image, x0: int, y0: int, x1: int, y1: int) -> Image:
    """The rectangle of the image, its border repeated where the rectangle leaves it."""
    height, width = image.shape[:2]
    inside = image[max(y0, 0) : max(min(y1, height), 1), max(x0, 0) : max(min(x1, width), 1)]
    above, below, before, behind = max(0, -y0), max(0, y1 - height), max(0, -x0), max(0, x1 - width)
    if not any((above, below, before, behind)):
        return inside
    return np.asarray(
        cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE), np.uint8
    )


def _skin_weight(logarithm: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width) float32 in [0, 1]: how surely each pixel is skin of this face."""
    face = np.zeros(logarithm.shape[:2], np.uint8)
    cv2.fillPoly(face, [np.round(points[list(FACE_OVAL)]).astype(np.int32)], [1])
    for outline in _NOT_SKIN:
        cv2.fillPoly(face, [np.round(points[list(outline)]).astype(np.int32)], [0])
    if not face.any():
        return np.ones(face.shape, np.float32)
    rows, columns = np.nonzero(face)
    opponent = logarithm[rows, columns] @ _OPPONENT.T
    away = opponent - np.median(opponent, axis=0)
    # Brightness is compared with a slope over the face, not with one level: the shaded side is skin too.
    places = np.column_stack([np.ones(len(rows)), columns, rows]) / (1.0, *face.shape[::-1])
    trust = np.ones(len(rows))
    for _ in range(3):
        moments = (places * trust[:, None]).T
        slope = np.linalg.solve(moments @ places + 1e-3 * len(rows) * _FLAT, moments @ opponent[:, 0])
        away[:, 0] = opponent[:, 0] - places @ slope
        distance = ((away / _SPREAD) ** 2).sum(axis=1)
        trust = 1.0 / (1.0 + distance**2)
    weight = np.zeros(face.shape, np.float32)
    weight[rows, columns] = trust
    return weight


def _spread(values: NDArray[np.float32], weight: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Normalised convolution, coarse to fine: where no skin is near, a wider look decides."""
    total = np.maximum(weight.sum(), 1e-6)
    mean = (values * weight[:, :, None]).sum(axis=(0, 1)) / total
    result = np.broadcast_to(mean.astype(np.float32), values.shape)
    for width in (sigma * 3, sigma * 1.7, sigma):
        near = cv2.GaussianBlur(weight, (0, 0), max(width, 0.3), borderType=cv2.BORDER_CONSTANT)
        sums = cv2.GaussianBlur(
            values * weight[:, :, None], (0, 0), max(width, 0.3), borderType=cv2.BORDER_CONSTANT
        )
        trust = 0.08
        result = (sums + trust * result) / (near[:, :, None] + trust)
    return np.asarray(result, np.float32)


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
_GREY = 2.5


def photograph_light(image: Image, landmarks: Landmarks) -> tuple[NDArray[np.float32], bool]:
    """Exposure and colour cast of the photograph around a face, against what is usual.

    Returns:
        (3,) float32 BGR gains for something drawn in neutral light, and whether the picture is grey.
    """
    x, y, width, height = landmarks.box
    scale = float(min(1.0, _EYE_PIXELS / max(landmarks.eye_distance, 1.0)))
    x0, y0 = max(0, int(x - width / 2)), max(0, int(y - height / 2))
    x1 = max(min(image.shape[1], int(x + 1.5 * width)), x0 + 1)
    y1 = max(min(image.shape[0], int(y + 1.5 * height)), y0 + 1)
    around = image[y0:y1, x0:x1]
    if around.size == 0:
        return np.ones(3, np.float32), False
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    small = cv2.resize(around, size, interpolation=cv2.INTER_AREA)
    spread = small.astype(np.int32).max(axis=2) - small.astype(np.int32).min(axis=2)
    grey = bool(np.percentile(spread, 95) <= _GREY)
    logarithm = np.log1p(small.astype(np.float32))
    weight = _skin_weight(logarithm, (landmarks.points[:, :2] - (x0, y0)) * scale)
    chosen = logarithm[weight > 0.5] if (weight > 0.5).any() else logarithm.reshape(-1, 3)
    skin, mean = np.median(chosen, axis=0), logarithm.mean(axis=(0, 1))
    bright = float(np.percentile(logarithm.mean(axis=2), 95))
    exposure = _TRUST_SKIN * (float(skin.mean()) - _USUAL_SKIN) + _TRUST_BRIGHT * (bright - _USUAL_BRIGHT)
    # White paper is drawn as white as a photograph gets, and is seldom quite that white in one.
    exposure -= _HEADROOM
    exposure *= _BRIGHTER if exposure > 0 else 1.0
    if grey:
        return np.full(3, np.exp(exposure), np.float32), True
    red = _cast(skin[2] - skin[1] - _USUAL_SKIN_RED, mean[2] - mean[1] - _USUAL_RED)
    blue = _cast(skin[0] - skin[1] - _USUAL_SKIN_BLUE, mean[0] - mean[1] - _USUAL_BLUE)
    cast = np.array([blue, 0.0, red])
    cast -= cast @ (0.114, 0.587, 0.299)
    return np.exp(exposure + cast).astype(np.float32), False


def _cast(of_skin: float, of_picture: float) -> float:
    """The light's cast along one axis, from how far skin and picture are from what is usual.

    Small differences are people and places rather than light, and count for little.
    """
    away = _TRUST_SKIN_CAST * float(of_skin) + (1 - _TRUST_SKIN_CAST) * float(of_picture)
    return _TRUST_CAST * away * abs(away) / (abs(away) + _ORDINARY)
