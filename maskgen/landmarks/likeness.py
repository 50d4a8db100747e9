"""How a mesh compares with the mean face, in one compiled loop: every face that is found is measured so."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled
from maskgen.landmarks.views import Points


@compiled
def likeness(
    points: Points, width: int, height: int, indices: NDArray[np.int64], mean: Points
) -> tuple[bool, float, float, float, float, float]:
    """What `maskgen.landmarks.gate.Shape` holds, in its order.

    Args:
        points: (468, 3) float64 x, y, z in pixels.
        width: Of the image in pixels.
        height: Likewise.
        indices: (n,) int64, which points are compared.
        mean: (n, 3) float64, where these lie on the mean face, around their middle.
    """
    inside = 0
    for n in range(len(points)):
        x, y, z = points[n]
        if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
            return False, 0.0, 0.0, 0.0, 0.0, 0.0
        if 0 <= x <= width - 1 and 0 <= y <= height - 1:
            inside += 1
    count = len(indices)
    middle = np.zeros(3)
    for n in range(count):
        for a in range(3):
            middle[a] += points[indices[n], a] / count
    # Sums of products of the mean face's coordinates (rows) and the mesh's.
    products, extent, mean_extent = np.zeros((3, 3)), 0.0, 0.0
    for n in range(count):
        for b in range(3):
            value = points[indices[n], b] - middle[b]
            extent += value * value
            mean_extent += mean[n, b] * mean[n, b]
            for a in range(3):
                products[a, b] += mean[n, a] * value
    agreement, facing = _best_turn(products)
    scale = max(agreement / mean_extent, 1e-9)
    # Relative to the fitted scale and not to the measured eyes, so that a collapsed mesh does not hide.
    left = extent - 2 * scale * agreement + scale * scale * mean_extent
    misfit = math.sqrt(max(left, 0.0) / count) / scale
    eyes, ears = points[263] - points[33], points[454] - points[234]
    return (
        True,
        math.sqrt(eyes[0] ** 2 + eyes[1] ** 2 + eyes[2] ** 2),
        inside / len(points),
        math.degrees(math.atan2(ears[1], ears[0])),
        facing,
        misfit,
    )


@compiled
def _best_turn(s: Points) -> tuple[float, float]:
    """The rotation under which two sets of points agree best: their agreement then, and its element (2, 2).

    The largest eigenvalue of a symmetric 4 x 4 matrix and its vector, a quaternion (Horn, "Closed-form
    solution of absolute orientation using unit quaternions", 1987), by Jacobi's rotations: no reflection can
    come of it, and nothing degenerate breaks it.

    Args:
        s: (3, 3) float64 sums of products of the one's coordinates (rows) and the other's.
    """
    m = np.empty((4, 4))
    m[0, 0] = s[0, 0] + s[1, 1] + s[2, 2]
    m[0, 1] = m[1, 0] = s[1, 2] - s[2, 1]
    m[0, 2] = m[2, 0] = s[2, 0] - s[0, 2]
    m[0, 3] = m[3, 0] = s[0, 1] - s[1, 0]
    for a in range(3):
        for b in range(3):
            m[1 + a, 1 + b] = 2 * s[a, a] - m[0, 0] if a == b else s[a, b] + s[b, a]
    vectors = np.eye(4)
    for _ in range(12):
        for p in range(3):
            for q in range(p + 1, 4):
                if abs(m[p, q]) <= 1e-15 * (abs(m[p, p]) + abs(m[q, q])):
                    continue
                slant = (m[q, q] - m[p, p]) / (2 * m[p, q])
                tangent = (1.0 if slant >= 0 else -1.0) / (abs(slant) + math.sqrt(slant * slant + 1))
                cosine = 1 / math.sqrt(tangent * tangent + 1)
                sine = tangent * cosine
                for n in range(4):
                    m[n, p], m[n, q] = cosine * m[n, p] - sine * m[n, q], sine * m[n, p] + cosine * m[n, q]
                for n in range(4):
                    m[p, n], m[q, n] = cosine * m[p, n] - sine * m[q, n], sine * m[p, n] + cosine * m[q, n]
                for n in range(4):
                    left, right = vectors[n, p], vectors[n, q]
                    vectors[n, p], vectors[n, q] = cosine * left - sine * right, sine * left + cosine * right
    best = 0
    for n in range(1, 4):
        if m[n, n] > m[best, best]:
            best = n
    w, x, y, z = vectors[0, best], vectors[1, best], vectors[2, best], vectors[3, best]
    return m[best, best], w * w - x * x - y * y + z * z
