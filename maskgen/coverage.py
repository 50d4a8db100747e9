"""How much of the nose, mouth, chin and lower face an alpha covers, and what wear that makes it."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image, Landmarks

# Outlines in the face mesh: tip, wings and base of the nose; the outer lips; from under the lip to the chin.
_NOSE = (5, 281, 278, 294, 327, 2, 98, 64, 48, 51)
_MOUTH = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_CHIN = (18, 313, 406, 378, 377, 152, 148, 149, 182, 83)

# What each wear covers: (part, lowest share, highest share). Measured on the composited alpha.
_RULES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "correct": (("nose", 0.85, 1.0), ("mouth", 0.95, 1.0), ("chin", 0.85, 1.0)),
    "nose-out": (("nose", 0.0, 0.35), ("mouth", 0.9, 1.0), ("chin", 0.85, 1.0)),
    "mouth-out": (("nose", 0.0, 0.02), ("mouth", 0.0, 0.2), ("chin", 0.6, 1.0)),
    "chin": (("nose", 0.0, 0.0), ("mouth", 0.0, 0.08), ("chin", 0.0, 0.85)),
}


def coverage(
    alpha: Image, landmarks: Landmarks, origin: tuple[int, int] = (0, 0), *, in_view: bool = False
) -> dict[str, float]:
    """The share of each part of the face that is covered.

    Args:
        alpha: (height, width) uint8: of the whole image, or of a rectangle of it that holds all of it.
        landmarks: The face in the image.
        origin: (x, y) in the image of the alpha's top left pixel.
        in_view: Ask only of what the image shows; a part of which it shows nothing is left out.

    Returns:
        "nose", "mouth", "chin" and "lower_face" (the face oval below the middle of the nose), each
        in [0, 1], rounded to three decimals. Parts outside the image count as not covered, unless
        ``in_view``.
    """
    points = landmarks.points[:, :2]
    # Measured on a crop around the face, moved so that parts outside the image keep their area.
    low = np.floor(points.min(axis=0)).astype(int) - 1 - origin
    size = np.ceil(points.max(axis=0)).astype(int) + 2 - origin - low
    covered = np.zeros((int(size[1]), int(size[0])), np.uint8)
    height, width = alpha.shape
    x0, y0 = max(low[0], 0), max(low[1], 0)
    x1, y1 = min(low[0] + size[0], width), min(low[1] + size[1], height)
    if x1 > x0 and y1 > y0:
        covered[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]] = alpha[y0:y1, x0:x1]

    shown = np.ones_like(covered)
    if in_view:
        left, top = np.maximum(-low - origin, 0)
        right, bottom = np.maximum(np.array(landmarks.image_size) - origin - low, 0)
        shown = np.zeros_like(covered)
        shown[top:bottom, left:right] = 1
    outlines = {part: points[list(at)] for part, at in (("nose", _NOSE), ("mouth", _MOUTH), ("chin", _CHIN))}
    outlines["lower_face"] = _below_nose(landmarks)
    shares = {}
    for part, outline in outlines.items():
        region = np.zeros_like(covered)
        cv2.fillPoly(region, [np.round(outline - origin - low).astype(np.int32)], [1])
        region &= shown
        if not in_view or region.any():
            shares[part] = round(cv2.mean(covered, region)[0] / 255.0, 3)
    return shares


def _below_nose(landmarks: Landmarks) -> NDArray[np.float32]:
    """The face oval cut by the line through the middle of the nose, across the face's own axis."""
    axis = landmarks.anchor("right_eye") - landmarks.anchor("left_eye")
    axis /= max(float(np.linalg.norm(axis)), 1e-6)
    down = np.array([-axis[1], axis[0]])
    height = (landmarks.oval - landmarks.anchor("nose_middle")) @ down
    clipped = []
    for (here, h), (there, t) in zip(
        zip(landmarks.oval, height, strict=True),
        zip(np.roll(landmarks.oval, -1, axis=0), np.roll(height, -1), strict=True),
        strict=True,
    ):
        if h >= 0:
            clipped.append(here)
        if (h >= 0) != (t >= 0):
            clipped.append(here + (there - here) * (h / (h - t)))
    return np.array(clipped if len(clipped) >= 3 else landmarks.oval, dtype=np.float32)


def wear_agrees(wear: str, shares: Mapping[str, float]) -> bool:
    """Whether measured coverage is what that wear means, so that it may serve as a label.

    Only parts that ``shares`` holds are asked.
    """
    return all(low <= shares[part] <= high for part, low, high in _RULES[wear] if part in shares)
