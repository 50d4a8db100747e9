"""Whether a mesh can be a face at all.

The landmark model puts a face-shaped mesh onto anything it is shown: a lamp, a coin, a cat. What gives such
a mesh away is seldom its shape, but that it does not stay: shown a closer image, and that image's mirror
image, the model puts it elsewhere or finds nothing. So there are two questions here, a cheap one about shape
(`refusal`) and, for meshes that are not beyond doubt (`doubtful`), the agreement of two more looks
(`disagreement`, with the looking done by `maskgen.landmarks.cascade`).

A face upside down is a face: the looks are at the image turned so that the mesh is upright, and only a mesh
that lies right agrees with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import ANCHORS
from maskgen.landmarks.crops import Points
from maskgen.records import Image

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
_INDICES = np.array(list(MEAN_FACE))
_MEAN = np.array(list(MEAN_FACE.values())) - np.mean(list(MEAN_FACE.values()), axis=0)
# Each anchor as shares of the mesh's points.
_ANCHOR_SHARES = np.zeros((len(ANCHORS), 468))
for _row, _indices in enumerate(ANCHORS.values()):
    _ANCHOR_SHARES[_row, list(_indices)] = 1 / len(_indices)

# Of 2,400 meshes of real faces, turned up to 60 degrees, none is further from the mean face than 0.13.
LARGEST_MISFIT = 0.2
# A tight crop cuts off ears and forehead; a face of which less than this is in the image cannot be masked.
LEAST_INSIDE = 0.5
SMALLEST_EYE_DISTANCE = 4.0
# By how much of the eye distance looks at one face may differ. Faces that fill the image and of which the
# model was not sure are mostly profiles, and there it wavers: half of 55 differ by more than 0.13. Of 567
# faceless images, two had a mesh that held to within 0.25, both small or on their side.
DISAGREEMENT_FILLING = 0.25
DISAGREEMENT = 0.18
FILLING = 0.25
UPRIGHT = 45.0


# How much the light of a part of the face tells an upright face from one upside down: a linear discriminant
# over 600 photographs and their copies turned by 180 degrees.
_LIGHT = (
    (-1.2, (159, 145, 386, 374, 33, 133, 362, 263, 249)),  # eyes
    (-3.1, (105, 66, 334, 296)),  # brows
    (3.5, (50, 280, 117, 346, 205, 425)),  # cheeks under the eyes
    (2.9, (151, 9, 108, 337)),  # forehead
    (-0.9, (13, 14, 78, 308, 61, 291)),  # mouth
    (-1.7, (98, 327, 2)),  # nostrils
    (0.5, (152, 175, 199)),  # chin
)
_LIGHT_POINTS = np.array([index for _, indices in _LIGHT for index in indices])
_LIGHT_WEIGHTS = np.array([weight / len(indices) for weight, indices in _LIGHT for _ in indices])
# 2 of 100 upright faces are below it, and half of those upside down.
DOUBTFUL_UPRIGHT = 0.0


@dataclass(frozen=True)
class Shape:
    """What a mesh is like, in itself and beside the mean face after the best turn, shift and scaling of it.

    Attributes:
        finite: Whether all its points are numbers.
        eyes: Distance of the outer eye corners in three dimensions, in pixels.
        inside: Share of its points that are in the image.
        roll: Degrees by which it is turned clockwise in the image plane, from its ears.
        facing: Cosine of the angle between the face's and the image's way into the image.
        misfit: How far it is from the mean face, in eye distances.
    """

    finite: bool
    eyes: float
    inside: float
    roll: float
    facing: float
    misfit: float


def shape_of(points: Points, image_size: tuple[int, int]) -> Shape:
    """Measure a mesh.

    Args:
        points: (468, 3) x, y, z in pixels.
        image_size: (width, height) in pixels.
    """
    return Shape(*likeness(np.ascontiguousarray(points, np.float64), *image_size, _INDICES, _MEAN))


def refusal(shape: Shape) -> str | None:
    """Why a mesh of this shape cannot be a face, or None if it can."""
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
    """Whether a mesh that was found with confidence still needs a second look.

    It does when the face is small in the image, is turned far from upright, or is oddly shaped. Nearly
    all faces of face datasets are none of these.
    """
    return shape.eyes < 0.08 * max(image_size) or abs(shape.roll) > 30 or shape.misfit > 0.1


def uprightness(image: Image, points: Points) -> float:
    """How well light and dark lie as on a face that is the right way up, around 3; under 0 it is doubtful.

    The model fits a mesh to a face upside down as if it were upright, with the eyes on the mouth. There the
    skin under the "eyes" is no lighter than they are.

    Args:
        image: (height, width, 3) uint8 BGR.
        points: (468, 3) x, y, z in pixels.
    """
    height, width = image.shape[:2]
    x = np.clip(np.rint(points[_LIGHT_POINTS, 0]), 0, width - 1).astype(np.intp)
    y = np.clip(np.rint(points[_LIGHT_POINTS, 1]), 0, height - 1).astype(np.intp)
    light: float = np.log(image[y, x].mean(axis=1) + 10.0) @ _LIGHT_WEIGHTS
    return float(light)


def largest_disagreement(shape: Shape, image_size: tuple[int, int]) -> float:
    """By how much further looks may differ from this mesh and from each other, in eye distances."""
    fills = shape.eyes >= FILLING * min(image_size)
    return DISAGREEMENT_FILLING if fills and abs(shape.roll) <= UPRIGHT else DISAGREEMENT


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
    anchors: Points = _ANCHOR_SHARES @ points[:, :2]
    return anchors


def _anchor_distance(one: Points, other: Points, mesh: Points) -> float:
    eyes = float(np.linalg.norm(mesh[263] - mesh[33]))
    return float(np.linalg.norm(one - other, axis=1).mean() / max(eyes, 1e-9))


def _other_side(name: str) -> str:
    if name.startswith("left_"):
        return name.replace("left_", "right_", 1)
    return name.replace("right_", "left_", 1)


def likeness(
    points: Points, width: int, height: int, indices: NDArray[np.int64], mean: Points
) -> tuple[bool, float, float, float, float, float]:
    """Measure the fields of `maskgen.landmarks.plausibility.Shape`, in its order.

    Args:
        points: (468, 3) float64 x, y, z in pixels.
        width: Of the image in pixels.
        height: Of the image in pixels.
        indices: (n,) int64, the points that are compared.
        mean: (n, 3) float64, their places on the mean face, centred.
    """
    if not np.isfinite(points).all():
        return False, 0.0, 0.0, 0.0, 0.0, 0.0
    xy = points[:, :2]
    inside = np.count_nonzero(((xy >= 0) & (xy <= (width - 1, height - 1))).all(axis=1))
    centred = points[indices] - points[indices].mean(axis=0)
    extent, mean_extent = float((centred**2).sum()), float((mean**2).sum())
    agreement, facing = _best_rotation(mean.T @ centred)
    scale = max(agreement / mean_extent, 1e-9)
    # Relative to the fitted scale and not to the measured eyes, so that a collapsed mesh does not hide.
    residual = extent - 2 * scale * agreement + scale**2 * mean_extent
    eyes, ears = points[263] - points[33], points[454] - points[234]
    return (
        True,
        math.hypot(*eyes),
        inside / len(points),
        math.degrees(math.atan2(ears[1], ears[0])),
        facing,
        math.sqrt(max(residual, 0.0) / len(indices)) / scale,
    )


def _best_rotation(products: Points) -> tuple[float, float]:
    """The agreement of two point sets under the best proper rotation, and element (2, 2) of that rotation.

    Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976): without the sign, a
    mirrored mesh would count as a rotated one.

    Args:
        products: (3, 3) float64 sums of products of the one set's coordinates (rows) and the other's.
    """
    u, strengths, vt = np.linalg.svd(products)
    signs = np.array([1.0, 1.0, math.copysign(1.0, np.linalg.det(u) * np.linalg.det(vt))])
    return float(strengths @ signs), float((u[2] * signs) @ vt[:, 2])
