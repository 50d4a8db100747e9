"""How a mesh compares with the mean face after the best rotation, shift and scaling (Procrustes analysis)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.landmarks.views import Points


def likeness(
    points: Points, width: int, height: int, indices: NDArray[np.int64], mean: Points
) -> tuple[bool, float, float, float, float, float]:
    """Measure the fields of `maskgen.landmarks.gate.Shape`, in its order.

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
