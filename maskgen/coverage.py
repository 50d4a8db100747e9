"""How much of the nose, mouth, chin and lower face an alpha covers, and what wear that makes it."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.anchors import ANCHORS, FACE_OVAL
from maskgen.records import Image, Landmarks

# Outlines in the face mesh: tip, wings and base of the nose; the outer lips; from under the lip to the chin.
_NOSE = (5, 281, 278, 294, 327, 2, 98, 64, 48, 51)
_MOUTH = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_CHIN = (18, 313, 406, 378, 377, 152, 148, 149, 182, 83)

_PARTS = {
    part: np.array(at)
    for part, at in (("nose", _NOSE), ("mouth", _MOUTH), ("chin", _CHIN), ("lower_face", FACE_OVAL))
}
_LEFT_EYE, _RIGHT_EYE, _NOSE_MIDDLE = (ANCHORS[name][0] for name in ("left_eye", "right_eye", "nose_middle"))

# What each wear covers: (part, lowest share, highest share). Measured on the composited alpha.
_RULES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "correct": (("nose", 0.85, 1.0), ("mouth", 0.95, 1.0), ("chin", 0.85, 1.0)),
    "nose-out": (("nose", 0.0, 0.35), ("mouth", 0.9, 1.0), ("chin", 0.85, 1.0)),
    "mouth-out": (("nose", 0.0, 0.02), ("mouth", 0.0, 0.2), ("chin", 0.6, 1.0)),
    "chin": (("nose", 0.0, 0.0), ("mouth", 0.0, 0.08), ("chin", 0.0, 0.85)),
}


def coverage(
    alpha: Image, landmarks: Landmarks, origin: tuple[int, int] = (0, 0)
) -> tuple[dict[str, float], dict[str, float]]:
    """The share of each part of the face that is covered.

    Args:
        alpha: (height, width) uint8: of the whole image, or of a rectangle of it that holds all of it.
        landmarks: The face in the image.
        origin: (x, y) in the image of the alpha's top left pixel.

    Returns:
        "nose", "mouth", "chin" and "lower_face" (the face oval below the middle of the nose), each
        in [0, 1], rounded to three decimals: first of the whole parts, of which what lies outside the
        image is not covered; then of what the image shows of them, without those of which it shows nothing.
    """
    corners = np.round(landmarks.points[:, :2] - np.array(origin, np.float32)).astype(np.int32)
    across, down = landmarks.image_size[0] - origin[0], landmarks.image_size[1] - origin[1]
    whole, shown = {}, {}
    for part, indices in _PARTS.items():
        outline = corners[indices]
        x, y, width, height = cv2.boundingRect(outline)
        region = np.zeros((height, width), np.uint8)
        cv2.fillPoly(region, [outline], [255], offset=(-x, -y))
        if part == "lower_face":
            cv2.fillConvexPoly(region, _above_nose(landmarks, corners) - (x, y), [0])
        area = in_image = cv2.countNonZero(region)
        if x < -origin[0] or y < -origin[1] or x + width > across or y + height > down:
            rows = slice(max(-origin[1] - y, 0), max(down - y, 0))
            in_image = cv2.countNonZero(region[rows, max(-origin[0] - x, 0) : max(across - x, 0)])
        covered = alpha[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
        left, top = max(-x, 0), max(-y, 0)
        inside = region[top : top + covered.shape[0], left : left + covered.shape[1]]
        total = cv2.sumElems(cv2.bitwise_and(covered, inside))[0] / 255.0 if covered.size else 0.0
        whole[part] = round(total / max(area, 1), 3)
        if in_image:
            shown[part] = round(total / in_image, 3)
    return whole, shown


def _above_nose(landmarks: Landmarks, corners: NDArray[np.int32]) -> NDArray[np.int32]:
    """A rectangle over all of the face above the middle of the nose, across the face's own axis."""
    (left_x, left_y), (right_x, right_y) = corners[_LEFT_EYE].tolist(), corners[_RIGHT_EYE].tolist()
    length = max(float(np.hypot(right_x - left_x, right_y - left_y)), 1.0)
    far = 4 * max(landmarks.box[2:])
    across = np.array([right_x - left_x, right_y - left_y]) * (far / length)
    up = np.array([across[1], -across[0]])
    # fillConvexPoly paints its border too: kept half a pixel off the line.
    middle = corners[_NOSE_MIDDLE] + up * (0.5 / far)
    return np.rint([middle - across, middle + across, middle + across + up, middle - across + up]).astype(
        np.int32
    )


def wear_agrees(wear: str, shares: Mapping[str, float]) -> bool:
    """Whether measured coverage is what that wear means, so that it may serve as a label.

    Only parts that ``shares`` holds are asked.
    """
    return all(low <= shares[part] <= high for part, low, high in _RULES[wear] if part in shares)
