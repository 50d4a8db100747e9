"""Measure the coverage of an alpha again and compare it with the manifest.

The manifest holds eleven points of each face's mesh. An affine map and a spline fit the mean face to these
points, which approximates the mesh of the run: over 389 real faces of five datasets, in all four wears, the
coverage differed by at most 0.03 for the lower face, 0.16 for the mouth, 0.21 for the chin, and 0.01 for the
nose except on two faces (0.30 and 0.49). A difference beyond `TOLERANCE` means another mask. With the meshes
of a landmark file the measurement is exact, and the tolerance is rounding.
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
    alpha: Image, face: FaceRecord, size_wh: tuple[int, int], exact: Landmarks | None = None
) -> str | None:
    """Compare a face's coverage with its alpha.

    Args:
        alpha: (height, width) uint8 of the whole image.
        face: The face in the manifest.
        size_wh: (width, height) of the image.
        exact: The face's mesh from a landmark file, if there is one.

    Returns:
        The difference in words; None if there is none.
    """
    x, y, width, height = face.mask_box
    if min(x, y) < 0 or width < 1 or height < 1 or x + width > size_wh[0] or y + height > size_wh[1]:
        return f"mask_box {list(face.mask_box)} is not inside the image"
    # Crop to this face's mask, without those of other faces, as in the run.
    own = np.ascontiguousarray(alpha[y : y + height, x : x + width])
    landmarks = exact or mesh_from_anchors(face, size_wh)
    if landmarks is None:
        return f"its landmarks {sorted(face.landmarks)} are too few, or not a face"
    shares, _ = coverage(own, landmarks, (x, y))
    for part, share in shares.items():
        allowed = _ROUNDING if exact else TOLERANCE[part]
        if abs(share - face.coverage.get(part, -1.0)) > allowed:
            return f"covers {share:.2f} of {part}, the manifest says {face.coverage.get(part)}"
    return None


def mesh_from_anchors(face: FaceRecord, size_wh: tuple[int, int]) -> Landmarks | None:
    """The mean face fitted to a face's anchors; None if there are too few or they are implausible."""
    names = [name for name in face.landmarks if name in ANCHORS]
    if len(names) < 6:
        return None
    mean = canonical_face()
    source = np.array([mean[list(ANCHORS[name])].mean(axis=0) for name in names])
    target = np.array([face.landmarks[name] for name in names], dtype=np.float64)
    if not np.isfinite(target).all() or np.abs(target).max() > 10 * max(size_wh):
        return None
    affine, *_ = np.linalg.lstsq(_ones(source), target, rcond=None)
    # A linear spline over the residuals: it passes through every anchor.
    weights, *_ = np.linalg.lstsq(_distances(source, source), target - _ones(source) @ affine, rcond=None)
    points = _ones(mean) @ affine + _distances(mean, source) @ weights
    return Landmarks(np.column_stack([points, np.zeros(len(points))]).astype(np.float32), size_wh)


def _ones(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([points, np.ones(len(points))])


def _distances(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.linalg.norm(points[:, None] - others[None], axis=2)
    return distances
