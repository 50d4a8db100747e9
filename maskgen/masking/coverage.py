"""Share of the nose, mouth, chin and lower face that an alpha covers, and whether it agrees with a wear."""

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

import cv2
import numpy as np

from maskgen.face_mesh import ANCHORS, FACE_OVAL, Landmarks
from maskgen.masking.face.downscaled import cut_out
from maskgen.records import Image

# Outlines in the face mesh: tip, wings and base of the nose; the outer lips; from under the lip to the chin.
_NOSE = (5, 281, 278, 294, 327, 2, 98, 64, 48, 51)
_MOUTH = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_CHIN = (18, 313, 406, 378, 377, 152, 148, 149, 182, 83)

_PARTS = {"nose": _NOSE, "mouth": _MOUTH, "chin": _CHIN, "lower_face": FACE_OVAL}
_LINE = tuple(ANCHORS[name][0] for name in ("left_eye", "right_eye", "nose_middle"))
_POINTS = np.array([*(index for outline in _PARTS.values() for index in outline), *_LINE])
_ENDS = list(accumulate(map(len, _PARTS.values()), initial=0))
_SPANS = {name: slice(*span) for name, span in zip(_PARTS, pairwise(_ENDS), strict=True)}

# Coverage of each wear: (part, least share, greatest share), measured on the composited alpha.
_RULES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "correct": (("nose", 0.85, 1.0), ("mouth", 0.95, 1.0), ("chin", 0.85, 1.0)),
    "nose-out": (("nose", 0.0, 0.35), ("mouth", 0.9, 1.0), ("chin", 0.85, 1.0)),
    "mouth-out": (("nose", 0.0, 0.02), ("mouth", 0.0, 0.2), ("chin", 0.6, 1.0)),
    "chin": (("nose", 0.0, 0.0), ("mouth", 0.0, 0.08), ("chin", 0.0, 0.85)),
}


class _Part(NamedTuple):
    pixels: Image  # (height, width) uint8: 255 in the part
    size: int  # its pixels
    shown: int  # those inside the image


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
    (left, top), parts = _parts(landmarks)
    height, width = parts["nose"].pixels.shape
    covers = cut_out(alpha, left - origin[0], top - origin[1], width, height)
    whole, visible = {}, {}
    for name, part in parts.items():
        covered = cv2.sumElems(cv2.bitwise_and(covers, part.pixels))[0] / 255
        whole[name] = round(covered / max(part.size, 1), 3)
        if part.shown:
            visible[name] = round(covered / part.shown, 3)
    return whole, visible


# Of one face, the fitted and the composited alpha are measured.
@lru_cache(maxsize=1)
def _parts(landmarks: Landmarks) -> tuple[tuple[int, int], dict[str, _Part]]:
    """The parts in the frame of the whole face, and the (x, y) of that frame in the image."""
    corners = np.floor(landmarks.points.take(_POINTS, axis=0)[:, :2] + 0.5).astype(np.int32)
    left, top, width, height = cv2.boundingRect(corners)
    corners -= (left, top)
    columns, rows = (
        slice(max(0, -start), max(0, size - start))
        for start, size in zip((left, top), landmarks.image_size, strict=True)
    )
    parts = {}
    for name, span in _SPANS.items():
        region = np.zeros((height, width), np.uint8)
        cv2.fillPoly(region, [corners[span]], [255])
        if name == "lower_face":
            _clear_above_nose(region, *corners[-3:].tolist())
        parts[name] = _Part(region, cv2.countNonZero(region), cv2.countNonZero(region[rows, columns]))
    return (left, top), parts


def _clear_above_nose(region: Image, left_eye: list[int], right_eye: list[int], nose: list[int]) -> None:
    """Clear the pixels above a line through the middle of the nose, parallel to the line of the eyes."""
    across, down = right_eye[0] - left_eye[0], right_eye[1] - left_eye[1]
    far = sum(region.shape) / max(math.hypot(across, down), 1e-9)
    corners = ((-1, 0), (1, 0), (1, -1), (-1, -1))  # beside and below the nose, as shares of ``far``
    above = [
        (nose[0] + far * (x * across - y * down), nose[1] + far * (x * down + y * across)) for x, y in corners
    ]
    cv2.fillConvexPoly(region, np.rint(above).astype(np.int32), [0])


def wear_agrees(wear: str, shares: Mapping[str, float]) -> bool:
    """Whether the measured coverage agrees with a wear; parts that are not in ``shares`` are not checked."""
    return all(low <= shares[part] <= high for part, low, high in _RULES[wear] if part in shares)
