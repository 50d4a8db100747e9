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
_SPREAD = np.array([0.9, 0.22, 0.35], dtype=np.float32)


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
    opponent = logarithm @ _OPPONENT.T
    middle = np.median(opponent[face > 0], axis=0)
    distance = (((opponent - middle) / _SPREAD) ** 2).sum(axis=2)
    return np.asarray(face / (1.0 + distance**2), np.float32)


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
