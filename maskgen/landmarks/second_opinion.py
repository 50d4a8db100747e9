"""A second opinion on a mesh: its appearance, the detector's key points, and the model's presence.

The landmark model fits an upright mesh to a face upside down, and a mesh turned too little to a profile.
Nothing in the mesh itself shows that.
"""

import math
from dataclasses import dataclass

import numpy as np

from maskgen.face_mesh import pose_of
from maskgen.landmarks.appearance import appearance
from maskgen.landmarks.engine import Mesh
from maskgen.records import Image

# A logit from which on a first look is enough. 8 % of right meshes are below, and 99 % of those that lie the
# wrong way up (1,803 faces of FairFace, CelebA, LFW and UTKFace; 1,055 of their copies turned by 90 to 225
# degrees).
GOOD = 1.0
# The logit at least of a mesh on which looks and detector agree: dark and side-lit faces look like none.
AGREED = 0.5
# Greatest distance of the detector's nose and mouth from the mesh's, in eye distances, without doubt; and the
# loss of logit for each eye distance more.
_FREE, _LOSS = 0.12, 6.0
# The loss of logit if the landmark model is sure that there is no face.
_ABSENT = 2.0
# The loss of logit for each degree of yaw above a first one: profiles fail more often than other faces.
_TURNED, _TURNED_LOSS = 25.0, 0.02
# Of an agreed mesh: greatest distance of the detector's points, least presence, greatest difference of looks.
_AGREED_APART, _AGREED_PRESENCE, _AGREED_LOOKS = 0.135, 0.95, 0.05


@dataclass(frozen=True)
class Opinion:
    """The opinion on one mesh; ``mesh`` and ``mask`` are logits as in `maskgen.landmarks.appearance`."""

    mesh: float
    mask: float
    agrees: bool  # whether the detector's points and the presence agree with the mesh, as far as known


def opinion(image: Image, mesh: Mesh) -> Opinion:
    """Judge a mesh in the image in which it was found."""
    look = appearance(image, mesh.points)
    apart = _keypoints_apart(mesh)
    presence = 1.0 if mesh.presence is None else mesh.presence
    loss = _LOSS * max(0.0, apart - _FREE) + _ABSENT * (1 - presence)
    loss += _TURNED_LOSS * max(0.0, abs(pose_of(mesh.points)["yaw"]) - _TURNED)
    return Opinion(look.mesh - loss, look.mask, apart <= _AGREED_APART and presence >= _AGREED_PRESENCE)


def agreed(looks_apart: list[float]) -> bool:
    """Whether further looks, which differ from a mesh by so many eye distances, confirm it."""
    return len(looks_apart) > 1 and float(np.mean(looks_apart)) <= _AGREED_LOOKS


def _keypoints_apart(mesh: Mesh) -> float:
    """Mean distance of the detector's nose tip and mouth from the mesh's, in eye distances; or 0."""
    if mesh.keypoints is None:
        return 0.0
    points = mesh.points[:, :2]
    eyes = math.dist(mesh.points[263].tolist(), mesh.points[33].tolist())
    own = np.array([points[4], (points[13] + points[14]) / 2])
    return float(np.linalg.norm(own - mesh.keypoints[2:4, :2], axis=1).mean()) / max(eyes, 1e-9)
