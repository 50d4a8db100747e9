"""How much of the nose, mouth, chin and lower face an alpha covers, and what wear that makes it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from maskgen.anchors import ANCHORS, FACE_OVAL
from maskgen.compiled import compiled
from maskgen.outlines import fill_outline
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
    across, down = landmarks.image_size[0] - origin[0], landmarks.image_size[1] - origin[1]
    image = (-origin[0], -origin[1], across, down)
    counted = _counted(np.ascontiguousarray(alpha), landmarks.points, _OUTLINES, _STARTS, *image)
    whole, shown = {}, {}
    for part, (total, area, in_image) in zip(_PARTS, counted.tolist(), strict=True):
        whole[part] = round(total / max(area, 1), 3)
        if in_image:
            shown[part] = round(total / in_image, 3)
    return whole, shown


@compiled
def _counted(
    alpha: Image,
    points: NDArray[np.float32],
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
        points: (468, 3) float32 of the mesh in the image.
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
    corners = np.empty((len(points), 2), np.int64)
    for corner in range(len(points)):
        corners[corner, 0] = int(np.floor(points[corner, 0] + left + 0.5))
        corners[corner, 1] = int(np.floor(points[corner, 1] + top + 0.5))
    # Down the face, across the line of the eyes.
    down_x = corners[_LEFT_EYE, 1] - corners[_RIGHT_EYE, 1]
    down_y = corners[_RIGHT_EYE, 0] - corners[_LEFT_EYE, 0]
    for part in range(parts):
        outline = corners[outlines[starts[part] : starts[part + 1]]]
        x0, y0, x1, y1 = outline[0, 0], outline[0, 1], outline[0, 0], outline[0, 1]
        for corner in range(len(outline)):
            x0, x1 = min(x0, outline[corner, 0]), max(x1, outline[corner, 0])
            y0, y1 = min(y0, outline[corner, 1]), max(y1, outline[corner, 1])
        rows, columns = y1 - y0 + 1, x1 - x0 + 1
        region = np.zeros((rows, columns), np.uint8)
        fill_outline(region, outline[:, 0] - x0, outline[:, 1] - y0, len(outline), 1)
        for row in range(rows):
            inside = region[row]
            if part == parts - 1:
                below = down_y * (row + y0 - corners[_NOSE_MIDDLE, 1])
                for column in range(columns):
                    if below + down_x * (column + x0 - corners[_NOSE_MIDDLE, 0]) <= 0:
                        inside[column] = 0
            # 32 bits: sums of bytes in 64 take three times as long.
            covered, area, in_image = np.int32(0), np.int32(0), np.int32(0)
            for column in range(columns):
                area += np.int32(inside[column])
            counted[part, 1] += area
            if top <= row + y0 < bottom:
                for column in range(max(left - x0, 0), min(right - x0, columns)):
                    in_image += np.int32(inside[column])
                counted[part, 2] += in_image
            if 0 <= row + y0 < alpha.shape[0]:
                first, last = max(-x0, 0), min(alpha.shape[1] - x0, columns)
                covers, counts = alpha[row + y0, x0 + first :], inside[first:]
                for column in range(last - first):
                    covered += np.int32(counts[column]) * np.int32(covers[column])
                counted[part, 0] += covered / 255
    return counted


def wear_agrees(wear: str, shares: Mapping[str, float]) -> bool:
    """Whether measured coverage is what that wear means, so that it may serve as a label.

    Only parts that ``shares`` holds are asked.
    """
    return all(low <= shares[part] <= high for part, low, high in _RULES[wear] if part in shares)
