"""The cloth of a mask as control points over the face mesh.

A mask rests on the nose ridge, the cheeks, the jaw and the chin. Between the nose tip and the chin it hangs
free: an open mouth does not dent it. Under the jaw it wraps backwards. Each control point is a fixed weighted
mean of mesh points; the same weights on the mean face give its place in template space.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import TEMPLATE_ORIGIN, TEMPLATE_UNIT, canonical_face
from maskgen.jit import compiled

Points = NDArray[np.float64]

# Mesh points that the cloth touches: on the midline, and in pairs of left and right.
_RIDGE = (6, 197, 195, 5, 4)
_SKIN = (
    *((121, 350), (119, 348), (117, 346), (116, 345), (127, 356), (101, 330), (50, 280), (123, 352)),
    *((207, 427), (147, 376), (214, 434), (210, 430), (140, 369)),
)
_CONTOUR = ((234, 454), (93, 323), (132, 361), (58, 288), (172, 397), (136, 365), (150, 379), (149, 378))
_UNDER = ((132, 361), (58, 288), (172, 397), (136, 365), (150, 379), (149, 378), (176, 400), (148, 377))

_TIP, _CHIN_FRONT, _CHIN = 4, 199, 152
# Control points as shares of the way from the nose tip to the front of the chin; 0.5 is about the mouth.
_BRIDGED = (0.25, 0.5, 0.75)
# (share of that way, cheek points): control points halfway between the midline and the cheek.
_FLANKS = ((0.0, (205, 425)), (0.25, (206, 426)), (0.5, (214, 434)), (0.8, (210, 430)))

# Distance of the hem from the jaw, sideways and down, and back under it, in eye distances.
_STAND_OFF = 0.09
_WRAP = 0.10

# Share by which the outermost control points are moved inwards in template space.
_SIDE_REACH = 0.042

# An ellipsoid of about the shape of a head, for the cloth's normals: centre and radii in canonical units.
_HEAD_CENTRE = np.array([0.0, 0.45, 0.45])
_HEAD_RADII = np.array([0.78, 1.15, 1.0])


_HEM = np.array([*(index for pair in _UNDER for index in pair), _CHIN])


@cache
def _weights() -> tuple[NDArray[np.intp], Points]:
    """(n, 3) indices of mesh points and (n, 3) their weights in each control point, the hem excluded."""
    rows: list[tuple[tuple[int, float], ...]] = [
        ((index, 1.0),)
        for index in (*_RIDGE, *(i for pair in (*_SKIN, *_CONTOUR) for i in pair), _CHIN_FRONT, _CHIN)
    ]
    rows += [((_TIP, 1 - share), (_CHIN_FRONT, share)) for share in _BRIDGED]
    rows += [
        ((_TIP, (1 - share) / 2), (_CHIN_FRONT, share / 2), (index, 0.5))
        for share, pair in _FLANKS
        for index in pair
    ]
    full = [(*row, *((row[0][0], 0.0),) * (3 - len(row))) for row in rows]
    return (
        np.array([[index for index, _ in row] for row in full]),
        np.array([[share for _, share in row] for row in full]),
    )


def cloth(points: Points, eye_distance: float, into: Points) -> Points:
    """(n, 3) float64: the control points of the cloth over one face, in a fixed order.

    points: (468, 3) float64 mesh, in the unit of the eye distance; into: (3,) unit vector into the head.
    """
    return _cloth(points, eye_distance, into, *_weights(), _HEM)


@compiled
def _cloth(
    points: Points,
    eye_distance: float,
    into: Points,
    indices: NDArray[np.intp],
    shares: Points,
    hem: NDArray[np.intp],
) -> Points:
    """points: (468, 3); indices, shares: (n, 3); hem: (m,) mesh points; result: (n + m, 3)."""
    count = len(indices)
    at = np.zeros((count + len(hem), 3))
    for number in range(count):
        for part in range(3):
            for axis in range(3):
                at[number, axis] += shares[number, part] * points[indices[number, part], axis]
    outwards = np.empty(3)
    for number in range(len(hem)):
        along, squared = 0.0, 0.0
        for axis in range(3):
            outwards[axis] = points[hem[number], axis] - (points[_RIDGE[0], axis] + points[_CHIN, axis]) / 2
            along += outwards[axis] * into[axis]
        for axis in range(3):
            outwards[axis] -= along * into[axis]
            squared += outwards[axis] ** 2
        stand_off = _STAND_OFF / max(np.sqrt(squared), 1e-9)
        for axis in range(3):
            off = stand_off * outwards[axis] + _WRAP * into[axis]
            at[count + number, axis] = points[hem[number], axis] + eye_distance * off
    return at


@cache
def cloth_in_template_space() -> Points:
    """(n, 2): the control points on the mean face, in pixels of template space.

    The cloth just before the ear is narrow from the front and broad from the side. The outermost points are
    therefore moved slightly inwards; a drawn side edge then reaches the outline of the face.
    """
    flat = cloth(canonical_face().copy(), 1.0, np.array([0.0, 0.0, 1.0]))[:, :2]
    outwards = np.clip((np.abs(flat[:, 0]) - 0.45) / 0.27, 0, 1)
    flat[:, 0] *= 1 - _SIDE_REACH * outwards
    return flat * TEMPLATE_UNIT + TEMPLATE_ORIGIN


@cache
def cloth_normals() -> Points:
    """(n, 3): outward unit normals of the cloth on the mean face."""
    at = cloth(canonical_face().copy(), 1.0, np.array([0.0, 0.0, 1.0]))
    normals = (at - _HEAD_CENTRE) / _HEAD_RADII**2
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True), np.float64)
