"""Whether a kept alpha covers what the manifest says that it covers.

The manifest keeps eleven points of each face's mesh. The mean face, laid over these by an affine map and bent
to meet them, is near enough to the mesh that was measured on: over 389 real faces of five collections, worn
in all four ways, what it gave was off by at most 0.03 of the lower face, 0.16 of the mouth, 0.21 of the chin,
and 0.01 of the nose but for two faces (0.30 and 0.49). What is beyond `TOLERANCE` is another mask. With the
meshes of a landmark file it is the same measurement as the run's, and the tolerance is rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import ANCHORS, Landmarks, canonical_face
from maskgen.masking.coverage import coverage
from maskgen.records import FaceRecord, Image

TOLERANCE = {"nose": 0.75, "mouth": 0.35, "chin": 0.4, "lower_face": 0.1}
_ROUNDING = 0.0021


def coverage_differs(
    alpha: Image, face: FaceRecord, size: tuple[int, int], exact: Landmarks | None = None
) -> str | None:
    """Measure a face's coverage again.

    Args:
        alpha: (height, width) uint8 of the whole image.
        face: What the manifest says of it.
        size: (width, height) of the image.
        exact: The face's mesh, where a landmark file has it.

    Returns:
        In words what differs; None if nothing does.
    """
    x, y, width, height = face.mask_box
    if min(x, y) < 0 or width < 1 or height < 1 or x + width > size[0] or y + height > size[1]:
        return f"mask_box {list(face.mask_box)} is not inside the image"
    # Other faces' masks are left out, as they were when it was measured.
    own = np.ascontiguousarray(alpha[y : y + height, x : x + width])
    landmarks = exact or mesh_from_anchors(face, size)
    if landmarks is None:
        return f"its landmarks {sorted(face.landmarks)} are too few, or no face"
    found, _ = coverage(own, landmarks, (x, y))
    for part, share in found.items():
        allowed = _ROUNDING if exact else TOLERANCE[part]
        if abs(share - face.coverage.get(part, -1.0)) > allowed:
            return f"covers {share:.2f} of {part}, the manifest says {face.coverage.get(part)}"
    return None


def mesh_from_anchors(face: FaceRecord, size: tuple[int, int]) -> Landmarks | None:
    """The mean face laid over a face's anchors; None where they are too few to lay anything over."""
    names = [name for name in face.landmarks if name in ANCHORS]
    if len(names) < 6:
        return None
    mean = canonical_face()
    source = np.array([mean[list(ANCHORS[name])].mean(axis=0) for name in names])
    target = np.array([face.landmarks[name] for name in names], dtype=np.float64)
    if not np.isfinite(target).all() or np.abs(target).max() > 10 * max(size):
        return None
    affine, *_ = np.linalg.lstsq(_ones(source), target, rcond=None)
    # A surface over the residuals that grows with distance only: a linear spline meets every anchor.
    weights, *_ = np.linalg.lstsq(_distances(source, source), target - _ones(source) @ affine, rcond=None)
    points = _ones(mean) @ affine + _distances(mean, source) @ weights
    return Landmarks(np.column_stack([points, np.zeros(len(points))]).astype(np.float32), size)


def _ones(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([points, np.ones(len(points))])


def _distances(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.linalg.norm(points[:, None] - others[None], axis=2)
    return distances
