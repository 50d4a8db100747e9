"""A second opinion on a mesh: its appearance, and how steady it is.

The landmark model fits an upright mesh to a face upside down, and one that ends above the mouth to a profile.
Nothing in the mesh itself shows that, but the image under it does, and the model itself: a wrong mesh moves
when the model looks again at the same place, mirrored or turned a little, and a right one does not.

The constants are those of a logistic regression on FairFace's training images: 3,298 meshes that are right by
the measure of `maskgen.landmarks.appearance` and 529 on faces with masks, against 36 wrong ones and 1,946 on
turned faces. Right meshes of dark faces look less like faces. For their sake the weight of the appearance was
reduced from 1.1 and the others fitted anew, the intercept raised by .4, and that of the yaw lowered by .6.
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

# A first look suffices from this logit on, up to this yaw in degrees. 95 % of the right frontal meshes are
# above, and 1 % of those that lie on the face the wrong way up.
GOOD, TURNED = 1.2, 30.0
# Logit of a mesh that was looked at again: of its appearance, of the log of its spread in eye distances (plus
# a little, for spreads near 0), and of its yaw: right meshes of profiles are less steady.
_APPEARANCE, _SPREAD, _LEAST_SPREAD = 0.8, -4.5, 0.005
_YAW, _FIRST_YAW, _LAST_YAW = 4.0, 20.0, 50.0
_INTERCEPT = -13.6
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
