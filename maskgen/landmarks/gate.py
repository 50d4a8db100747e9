"""Whether a mesh can be a face at all.

The landmark model puts a face-shaped mesh onto anything it is shown: a lamp, a coin, a cat. What gives such
a mesh away is seldom its shape, but that it does not stay: shown a closer picture, and that picture's mirror
image, the model puts it elsewhere or finds nothing. So there are two questions here, a cheap one about shape
(`refusal`) and, for meshes that are not beyond doubt (`doubtful`), the agreement of two more looks
(`disagreement`, with the looking done by `maskgen.landmarks.cascade`).

A face upside down is a face: the looks are at the picture turned so that the mesh is upright, and only a mesh
that lies right agrees with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskgen.anchors import ANCHORS
from maskgen.landmarks.views import Points

# Where some points lie on the mean face, in units of the distance of the outer eye corners: x to the image's
# right, y down the chin, z into the head.
MEAN_FACE = {
    10: (0.0, -0.571, -0.147),
    6: (0.0, 0.013, -0.289),
    4: (0.0, 0.316, -0.516),
    2: (0.0, 0.470, -0.332),
    17: (0.0, 0.798, -0.304),
    152: (0.0, 1.169, -0.147),
    33: (-0.5, 0.0, 0.0),
    263: (0.5, 0.0, 0.0),
    61: (-0.285, 0.701, -0.134),
    291: (0.285, 0.701, -0.134),
    234: (-0.756, 0.251, 0.579),
    454: (0.756, 0.251, 0.579),
    172: (-0.612, 0.857, 0.336),
    397: (0.612, 0.857, 0.336),
}
_INDICES = list(MEAN_FACE)
_MEAN = np.array(list(MEAN_FACE.values())) - np.mean(list(MEAN_FACE.values()), axis=0)
_MEAN_SQUARED = float((_MEAN**2).sum())

# Of 2,400 meshes of real faces, turned up to 60 degrees, none is further from the mean face than 0.13.
LARGEST_MISFIT = 0.2
# A tight crop cuts off ears and forehead; a face of which less than this is in the picture cannot be masked.
LEAST_INSIDE = 0.5
SMALLEST_EYE_DISTANCE = 4.0
# By how much of the eye distance looks at one face may differ. Faces that fill the picture and of which the
# model was not sure are mostly profiles, and there it wavers: half of 55 differ by more than 0.13. Of 567
# faceless pictures, two had a mesh that held to within 0.25, both small or on their side.
DISAGREEMENT_FILLING = 0.25
DISAGREEMENT = 0.18
FILLING = 0.25
UPRIGHT = 45.0


@dataclass(frozen=True, eq=False)
class Shape:
    """How a mesh compares with the mean face after the best turn, shift and scaling.

    Attributes:
        misfit: How far it is from it, in eye distances.
        turn: (3, 3) rotation that turns row vectors of the mean face into the image.
    """

    misfit: float
    turn: Points


def refusal(points: Points, image_size: tuple[int, int], shape: Shape | None = None) -> str | None:
    """Why these points cannot be a face in an image of that size, or None if they can.

    Args:
        points: (468, 3) x, y, z in pixels.
        image_size: (width, height) in pixels.
        shape: `shape_of` the points, where it is known already.
    """
    if not np.isfinite(points).all():
        return "a point is not a number"
    if float(np.linalg.norm(points[263] - points[33])) < SMALLEST_EYE_DISTANCE:
        return f"the eyes are less than {SMALLEST_EYE_DISTANCE:g} pixels apart"
    x, y = points[:, 0], points[:, 1]
    seen = (x >= 0) & (y >= 0) & (x <= image_size[0] - 1) & (y <= image_size[1] - 1)
    inside = np.count_nonzero(seen) / len(points)
    if inside < LEAST_INSIDE:
        return f"only {inside:.0%} of the face is in the picture"
    shape = shape or shape_of(points)
    if shape.turn[2, 2] <= 0:
        return "the face is turned inside out or seen from behind"
    if shape.misfit > LARGEST_MISFIT:
        return "the proportions are not those of a face"
    return None


def doubtful(points: Points, image_size: tuple[int, int], shape: Shape | None = None) -> bool:
    """Whether a mesh that was found with confidence still needs a second look.

    It does when the face is small in the picture, is turned far from upright, or is oddly shaped. Nearly
    all faces of face datasets are none of these.
    """
    small = float(np.linalg.norm(points[263] - points[33])) < 0.08 * max(image_size)
    return small or abs(roll(points)) > 30 or (shape or shape_of(points)).misfit > 0.1


def largest_disagreement(points: Points, image_size: tuple[int, int]) -> float:
    """By how much further looks may differ from this mesh and from each other, in eye distances."""
    fills = float(np.linalg.norm(points[263] - points[33])) >= FILLING * min(image_size)
    return DISAGREEMENT_FILLING if fills and abs(roll(points)) <= UPRIGHT else DISAGREEMENT


def shape_of(points: Points) -> Shape:
    """Compare a mesh with the mean face: Kabsch's solution by singular values; reflections are excluded."""
    found = points[_INDICES]
    found = found - found.sum(axis=0) / len(_INDICES)
    u, values, v = np.linalg.svd(_MEAN.T @ found)
    product = u @ v
    if product[0] @ np.cross(product[1], product[2]) < 0:
        u, values = u * (1.0, 1.0, -1.0), values * (1.0, 1.0, -1.0)
    turn = u @ v
    scale = max(float(values.sum()) / _MEAN_SQUARED, 1e-9)
    # Relative to the fitted scale and not to the measured eyes, so that a collapsed mesh does not hide.
    apart = found - _MEAN @ turn * scale
    return Shape(float(np.sqrt((apart**2).sum() / len(_INDICES))) / scale, turn)


def roll(points: Points) -> float:
    """Degrees by which the face is turned clockwise in the image plane, from its ears."""
    across = points[454, :2] - points[234, :2]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def disagreement(one: Points, other: Points) -> float:
    """Mean distance of two meshes' anchors in the image plane, in eye distances of the first."""
    return _anchor_distance(anchor_points(one), anchor_points(other), one)


def mirrored_disagreement(one: Points, mirrored: Points) -> float:
    """As `disagreement`, where `mirrored` was found in the mirror image and its x mirrored back.

    In a mirror image the left eye is where the right one was, so that the anchors swap names.
    """
    names = list(ANCHORS)
    swap = [names.index(_other_side(name)) for name in names]
    return _anchor_distance(anchor_points(one), anchor_points(mirrored)[swap], one)


def anchor_points(points: Points) -> Points:
    """(anchors, 2) x and y of all `ANCHORS`, in their order."""
    return np.array([points[list(indices), :2].mean(axis=0) for indices in ANCHORS.values()])


def _anchor_distance(one: Points, other: Points, mesh: Points) -> float:
    eyes = float(np.linalg.norm(mesh[263] - mesh[33]))
    return float(np.linalg.norm(one - other, axis=1).mean() / max(eyes, 1e-9))


def _other_side(name: str) -> str:
    if name.startswith("left_"):
        return name.replace("left_", "right_", 1)
    return name.replace("right_", "left_", 1)
