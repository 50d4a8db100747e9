"""Plausibility of a face mesh: its shape, and the agreement of further looks.

The landmark model fits a face-shaped mesh to anything: a lamp, a coin, a cat. The shape of such a mesh is
seldom wrong, but it is not stable: in a close-up and its mirror image, the model places it elsewhere or finds
nothing. There are two tests: a cheap one of the shape (`refusal`) and, for doubtful meshes (`doubtful`), the
agreement of two more looks at the face turned upright (`disagreement`; `maskgen.landmarks.cascade` takes
them).
"""

import math
import re
from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.face_mesh import ANCHORS, anchor_shares, canonical_face
from maskgen.landmarks.crops import Points

# The mesh points that are compared to the mean face; first the person's right and left eye and ear.
COMPARED_POINTS = np.array([33, 263, 234, 454, 10, 6, 4, 2, 17, 152, 61, 291, 172, 397])
# Subtracts the mean of the compared points from each.
_CENTERING = np.eye(len(COMPARED_POINTS)) - 1 / len(COMPARED_POINTS)
_MEAN_POINTS = _CENTERING @ canonical_face()[COMPARED_POINTS]
_MEAN_EXTENT = float(np.vdot(_MEAN_POINTS, _MEAN_POINTS))
_ANCHOR_SHARES = anchor_shares()
# The index in `ANCHORS` of each anchor's partner on the other side of the face.
_OTHER_SIDE = {"left": "right", "right": "left"}
_SWAPPED_SIDES = [
    list(ANCHORS).index(re.sub("left|right", lambda side: _OTHER_SIDE[side[0]], name)) for name in ANCHORS
]

# The misfit of 2,400 meshes of real faces, turned up to 60 degrees, is at most 0.13.
LARGEST_MISFIT = 0.2
# Least share of the points inside the image. A tight crop cuts off ears and forehead.
LEAST_INSIDE = 0.5
SMALLEST_EYE_DISTANCE = 4.0
# Greatest difference of looks at one face, in eye distances. Doubtful faces that fill the image are mostly
# profiles, whose looks differ more: half of 55 by more than 0.13. In 567 faceless images, two meshes agreed
# to within 0.25; both were small or on their side.
DISAGREEMENT_FILLING = 0.25
DISAGREEMENT = 0.18
FILLING = 0.25
UPRIGHT = 45.0


@dataclass(frozen=True)
class Shape:
    """The shape of a mesh, also relative to the mean face under the best similarity transform."""

    finite: bool  # whether all its coordinates are finite
    eyes: float = 0.0  # distance of the outer eye corners in three dimensions, in pixels
    inside: float = 0.0  # share of its points inside the image
    roll: float = 0.0  # clockwise rotation in the image plane in degrees, from its ears
    facing: float = 0.0  # cosine of the angle between the face's and the camera's direction into the image
    misfit: float = 0.0  # distance from the mean face, in eye distances


def shape_of(points: Points, image_size: tuple[int, int]) -> Shape:
    """Measure the shape of a (468, 3) mesh in pixels of an image of this (width, height)."""
    if not np.isfinite(points).all():
        return Shape(finite=False)
    width, height = image_size
    x, y = points[:, 0], points[:, 1]
    inside = np.count_nonzero((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))
    compared = points[COMPARED_POINTS]
    right_eye, left_eye, right_ear, left_ear = compared[:4].tolist()
    compared = _CENTERING @ compared
    # Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976). Without the sign, a
    # mirrored mesh would count as a rotated one.
    products = _MEAN_POINTS.T @ compared
    strengths, u, vt = cv2.SVDecomp(products)
    sign = math.copysign(1.0, cv2.determinant(products))
    agreement = float(strengths[0, 0] + strengths[1, 0] + sign * strengths[2, 0])
    scale = max(agreement / _MEAN_EXTENT, 1e-9)
    # Relative to the fitted scale, not to the measured eyes: otherwise a collapsed mesh would pass.
    residual = float(np.vdot(compared, compared)) - 2 * scale * agreement + scale**2 * _MEAN_EXTENT
    return Shape(
        finite=True,
        eyes=math.dist(right_eye, left_eye),
        inside=inside / len(points),
        roll=math.degrees(math.atan2(left_ear[1] - right_ear[1], left_ear[0] - right_ear[0])),
        facing=float(u[2, 0] * vt[0, 2] + u[2, 1] * vt[1, 2] + sign * u[2, 2] * vt[2, 2]),
        misfit=math.sqrt(max(residual, 0.0) / len(COMPARED_POINTS)) / scale,
    )


def refusal(shape: Shape) -> str | None:
    """The reason why a mesh of this shape cannot be a face, or None if it can."""
    if not shape.finite:
        return "a point is not a number"
    if shape.eyes < SMALLEST_EYE_DISTANCE:
        return f"the eyes are less than {SMALLEST_EYE_DISTANCE:g} pixels apart"
    if shape.inside < LEAST_INSIDE:
        return f"only {shape.inside:.0%} of the face is in the image"
    if shape.facing <= 0:
        return "the face is turned inside out or seen from behind"
    if shape.misfit > LARGEST_MISFIT:
        return "the proportions are not those of a face"
    return None


def doubtful(shape: Shape, image_size: tuple[int, int]) -> bool:
    """Whether a confident mesh needs a second look: it is small, turned far from upright, or oddly shaped."""
    return shape.eyes < 0.08 * max(image_size) or abs(shape.roll) > 30 or shape.misfit > 0.1


def largest_disagreement(shape: Shape, image_size: tuple[int, int]) -> float:
    """Greatest difference of further looks from this mesh and from each other, in eye distances."""
    fills = shape.eyes >= FILLING * min(image_size)
    return DISAGREEMENT_FILLING if fills and abs(shape.roll) <= UPRIGHT else DISAGREEMENT


def disagreement(one: Points, other: Points, order: slice | list[int] = slice(None)) -> float:
    """Mean distance of the anchors of two meshes in the image plane, in eye distances of the first."""
    apart = _ANCHOR_SHARES @ one[:, :2] - (_ANCHOR_SHARES @ other[:, :2])[order]
    eyes = math.dist(one[263].tolist(), one[33].tolist())
    return float(np.linalg.norm(apart, axis=1).mean() / max(eyes, 1e-9))


def mirrored_disagreement(one: Points, mirrored: Points) -> float:
    """`disagreement` with a mesh from the mirror image, whose x is mirrored back: the anchors swap sides."""
    return disagreement(one, mirrored, _SWAPPED_SIDES)
