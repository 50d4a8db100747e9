"""How much of the nose, mouth, chin and lower face an alpha covers, and what wear that makes it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from maskgen.anchors import ANCHORS, FACE_OVAL
from maskgen.compiled import compiled
from maskgen.records import Image, Landmarks

# Outlines in the face mesh: tip, wings and base of the nose; the outer lips; from under the lip to the chin.
_NOSE = (5, 281, 278, 294, 327, 2, 98, 64, 48, 51)
_MOUTH = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_CHIN = (18, 313, 406, 378, 377, 152, 148, 149, 182, 83)

_PARTS = {"nose": _NOSE, "mouth": _MOUTH, "chin": _CHIN, "lower_face": FACE_OVAL}
_OUTLINES = np.array([corner for part in _PARTS.values() for corner in part])
_STARTS = np.cumsum([0, *map(len, _PARTS.values())])
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
    image = (-origin[0], -origin[1], across, down)
    counted = _counted(np.ascontiguousarray(alpha), corners, _OUTLINES, _STARTS, *image)
    whole, shown = {}, {}
    for part, (total, area, in_image) in zip(_PARTS, counted.tolist(), strict=True):
        whole[part] = round(total / max(area, 1), 3)
        if in_image:
            shown[part] = round(total / in_image, 3)
    return whole, shown


@compiled
def _counted(  # noqa: PLR0912 - one loop after the other, and all over the same region
    alpha: Image,
    corners: NDArray[np.int32],
    outlines: NDArray[np.intp],
    starts: NDArray[np.intp],
    left: int,
    top: int,
    right: int,
    bottom: int,
) -> NDArray[np.float64]:
    """Fill each part's outline, its border with it, and count.

    Args:
        alpha: (height, width) uint8.
        corners: (468, 2) int32 x, y of the mesh in the alpha's pixels.
        outlines: The mesh points of all parts, one part after the other.
        starts: Where each begins, and the end. Of the last one only what is below the nose's middle counts.
        left: The image's first column in the alpha's pixels.
        top: Its first row.
        right: The column that follows its last.
        bottom: The row that follows its last.

    Returns:
        (parts, 3) float64: how many pixels are covered, are in the part, and are in its part in the image.
    """
    parts = len(starts) - 1
    counted = np.zeros((parts, 3))
    crossings = np.empty(len(outlines))
    # Down the face, across the line of the eyes.
    down_x = -float(corners[_RIGHT_EYE, 1] - corners[_LEFT_EYE, 1])
    down_y = float(corners[_RIGHT_EYE, 0] - corners[_LEFT_EYE, 0])
    for part in range(parts):
        outline = outlines[starts[part] : starts[part + 1]]
        x0 = x1 = corners[outline[0], 0]
        y0 = y1 = corners[outline[0], 1]
        for corner in outline:
            x0, x1 = min(x0, corners[corner, 0]), max(x1, corners[corner, 0])
            y0, y1 = min(y0, corners[corner, 1]), max(y1, corners[corner, 1])
        region = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
        for number in range(len(outline)):
            x, y = corners[outline[number - 1], 0] - x0, corners[outline[number - 1], 1] - y0
            across, down = corners[outline[number], 0] - x0 - x, corners[outline[number], 1] - y0 - y
            steps = max(abs(across), abs(down))
            for step in range(steps):
                share = step / steps
                region[y + int(np.floor(share * down + 0.5)), x + int(np.floor(share * across + 0.5))] = 1
        for row in range(region.shape[0]):
            count = 0
            for number in range(len(outline)):
                x, y = corners[outline[number - 1], 0] - x0, corners[outline[number - 1], 1] - y0
                across, down = corners[outline[number], 0] - x0 - x, corners[outline[number], 1] - y0 - y
                if (y <= row) != (y + down <= row):
                    at, place = x + across * (row - y) / down, count
                    while place > 0 and crossings[place - 1] > at:
                        crossings[place] = crossings[place - 1]
                        place -= 1
                    crossings[place] = at
                    count += 1
            for pair in range(0, count - 1, 2):
                region[row, int(np.ceil(crossings[pair])) : int(np.floor(crossings[pair + 1])) + 1] = 1
        last = part == parts - 1
        for row in range(region.shape[0]):
            y = row + y0
            below = down_y * (y - corners[_NOSE_MIDDLE, 1])
            for column in range(region.shape[1]):
                x = column + x0
                if not region[row, column]:
                    continue
                if last and below + down_x * (x - corners[_NOSE_MIDDLE, 0]) <= 0:
                    continue
                counted[part, 1] += 1
                if left <= x < right and top <= y < bottom:
                    counted[part, 2] += 1
                if 0 <= x < alpha.shape[1] and 0 <= y < alpha.shape[0]:
                    counted[part, 0] += alpha[y, x] / 255
    return counted


def wear_agrees(wear: str, shares: Mapping[str, float]) -> bool:
    """Whether measured coverage is what that wear means, so that it may serve as a label.

    Only parts that ``shares`` holds are asked.
    """
    return all(low <= shares[part] <= high for part, low, high in _RULES[wear] if part in shares)
