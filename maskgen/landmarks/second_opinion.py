"""A second opinion on a mesh: its appearance, and how steady it is.

The landmark model fits an upright mesh to a face upside down, and one that ends above the mouth to a profile.
Nothing in the mesh itself shows that, but the image under it does, and the model itself: a wrong mesh moves
when the model looks again at the same place, mirrored or turned a little, and a right one does not.

The constants were fitted on FairFace's training images, by logistic regression: 3,283 first meshes within .2 eye
distances of YuNet's nose and mouth corners (another detector, which is not used here), 1,392 on drawn masks and
70 on worn ones, against 36 first meshes further off than .27 and 722 meshes on turned faces. 36 of the former
and latter, on profiles, were sorted by eye, because YuNet was wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from maskgen.face_mesh import pose_of
from maskgen.landmarks.appearance import appearance
from maskgen.landmarks.engine import Mesh
from maskgen.records import Image

# A first look suffices from this logit on, up to this yaw in degrees. 98 % of the right frontal meshes are
# above, and 2 % of those that lie on the face the wrong way up.
GOOD, TURNED = 1.5, 30.0
# Logit of a mesh that was looked at again: of its appearance, of the log of its spread in eye distances (and a
# little, for spreads near 0), and of its yaw, whose meshes are the less steady the larger it is.
_APPEARANCE, _SPREAD, _LEAST_SPREAD = 0.58, -5.26, 0.005
_YAW, _FIRST_YAW, _LAST_YAW = 2.37, 20.0, 50.0
_INTERCEPT = -15.0
# Logit of a mesh at whose place the model finds no face again.
_NOTHING = -10.0


@dataclass(frozen=True)
class Opinion:
    """The opinion on one mesh; ``mesh`` and ``mask`` are logits as in `maskgen.landmarks.appearance`."""

    mesh: float
    mask: float
    is_clear: bool = True  # whether the mesh needs no further looks


def opinion(image: Image, mesh: Mesh) -> Opinion:
    """Judge a mesh in the image in which it was found, by its appearance."""
    look = appearance(image, mesh.points)
    is_clear = look.mesh >= GOOD and abs(pose_of(mesh.points)["yaw"]) <= TURNED
    return Opinion(look.mesh, look.mask, is_clear)


def second_opinion(first: Opinion, mesh: Mesh, further: Sequence[Mesh]) -> Opinion:
    """Judge a mesh by its appearance and by further meshes of the same face; without any, it is wrong."""
    if not further:
        return Opinion(_NOTHING, first.mask)
    turned = (abs(pose_of(mesh.points)["yaw"]) - _FIRST_YAW) / (_LAST_YAW - _FIRST_YAW)
    logit = _INTERCEPT + _APPEARANCE * first.mesh + _YAW * min(max(turned, 0.0), 1.0)
    logit += _SPREAD * math.log(spread([mesh, *further]) + _LEAST_SPREAD)
    return Opinion(logit, first.mask)


def spread(meshes: Sequence[Mesh]) -> float:
    """Mean distance between the points of meshes in the image plane, in eye distances of the first."""
    points = meshes[0].points
    eyes = max(math.dist(points[263].tolist(), points[33].tolist()), 1e-9)
    apart = [np.hypot(*(one.points - other.points)[:, :2].T) for one, other in combinations(meshes, 2)]
    return float(np.mean(apart)) / eyes
