"""Share of the nose, mouth, chin and lower face that an alpha covers, and whether it agrees with a wear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import ANCHORS, FACE_OVAL, Landmarks
from maskgen.records import Image

# Outlines in the face mesh: tip, wings and base of the nose; the outer lips; from under the lip to the chin.
_NOSE = (5, 281, 278, 294, 327, 2, 98, 64, 48, 51)
_MOUTH = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_CHIN = (18, 313, 406, 378, 377, 152, 148, 149, 182, 83)

_PARTS = {"nose": _NOSE, "mouth": _MOUTH, "chin": _CHIN, "lower_face": FACE_OVAL}
_LEFT_EYE, _RIGHT_EYE, _NOSE_MIDDLE = (ANCHORS[name][0] for name in ("left_eye", "right_eye", "nose_middle"))

# Coverage of each wear: (part, least share, greatest share), measured on the composited alpha.
_RULES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "correct": (("nose", 0.85, 1.0), ("mouth", 0.95, 1.0), ("chin", 0.85, 1.0)),
    "nose-out": (("nose", 0.0, 0.35), ("mouth", 0.9, 1.0), ("chin", 0.85, 1.0)),
    "mouth-out": (("nose", 0.0, 0.02), ("mouth", 0.0, 0.2), ("chin", 0.6, 1.0)),
    "chin": (("nose", 0.0, 0.0), ("mouth", 0.0, 0.08), ("chin", 0.0, 0.85)),
}


def coverage(
    alpha: Image, landmarks: Landmarks, origin: tuple[int, int] = (0, 0)
) -> tuple[dict[str, float], dict[str, float]]:
    """Measure the share of each part of the face that is covered.

    The parts are "nose", "mouth", "chin" and "lower_face" (the face oval below the middle of the nose).

    Args:
        alpha: (height, width) uint8 of the whole image, or of a rectangle that contains the whole mask.
        landmarks: The face in the image.
        origin: (x, y) in the image of the alpha's top left pixel.

    Returns:
        whole: Share of each part in [0, 1], rounded to three decimals; pixels outside the image count as
            uncovered.
        visible: Share of the part inside the image; parts fully outside are omitted.
    """
    corners = np.floor(landmarks.points[:, :2] - np.array(origin) + 0.5).astype(np.int32)
    image_xywh = (-origin[0], -origin[1], *landmarks.image_size)
    whole, visible = {}, {}
    for name, indices in _PARTS.items():
        outline = corners[list(indices)]
        box_xywh = cv2.boundingRect(outline)
        region = np.zeros((box_xywh[3], box_xywh[2]), np.uint8)
        cv2.fillPoly(region, [outline - box_xywh[:2]], [1])
        if name == "lower_face":
            _clear_above_nose(region, corners - box_xywh[:2])
        in_alpha, on_alpha = _overlap(box_xywh, (0, 0, alpha.shape[1], alpha.shape[0]))
        in_image, _ = _overlap(box_xywh, image_xywh)
        inside = region[in_alpha]
        covered = cv2.mean(alpha[on_alpha], inside)[0] * cv2.countNonZero(inside) / 255 if inside.size else 0
        whole[name] = round(covered / max(cv2.countNonZero(region), 1), 3)
        if shown := np.count_nonzero(region[in_image]):
            visible[name] = round(covered / shown, 3)
    return whole, visible


def _clear_above_nose(region: Image, corners: NDArray[np.int32]) -> None:
    """Clear the pixels above a line through the middle of the nose, parallel to the line of the eyes."""
    right, down = corners[_RIGHT_EYE] - corners[_LEFT_EYE]
    x, y = corners[_NOSE_MIDDLE]
    rows, columns = np.indices(region.shape, np.int32, sparse=True)
    region[right * (rows - y) - down * (columns - x) <= 0] = 0


Slices = tuple[slice, slice]


def _overlap(box_xywh: Sequence[int], other_xywh: Sequence[int]) -> tuple[Slices, Slices]:
    """Slices of the overlap of two boxes, for an array of the first box and for an array of the second."""
    (x, y, width, height), (left, top, across, down) = box_xywh, other_xywh
    x0, x1 = max(x, left), max(min(x + width, left + across), x, left)
    y0, y1 = max(y, top), max(min(y + height, top + down), y, top)
    return (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)), (
        slice(y0 - top, y1 - top),
        slice(x0 - left, x1 - left),
    )


def wear_agrees(wear: str, shares: Mapping[str, float]) -> bool:
    """Whether the measured coverage agrees with a wear; parts that are not in ``shares`` are not checked."""
    return all(low <= shares[part] <= high for part, low, high in _RULES[wear] if part in shares)
