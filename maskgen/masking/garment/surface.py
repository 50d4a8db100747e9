"""The cloth's surface over a face: a grid of points in space, in coordinates of the unrolled head.

`u` and `v` are lengths in eye distances: u goes around the head from the midline to the right, v down from
the line of the eyes. Cloth rests on the nose ridge, the cheeks, the jaw and the chin and spans the hollows
between them; below the jaw it follows the neck. Each control point is a weighted mean of mesh points,
displaced along the face's axes. A thin-plate spline over (u, v) takes the control points to the grid; it is
linear in them, so one constant matrix takes the mesh to the grid.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks, canonical_face
from maskgen.jit import compiled

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

# The head as a cylinder: depth of its axis and its radius, in eye distances.
_AXIS, _RADIUS = 0.45, 0.75
# The grid: from the first to the last u and v, and the distance of its points.
_FIRST_U, _LAST_U, _FIRST_V, _LAST_V, _STEP = -1.44, 1.44, -0.10, 2.0, 0.09

_SMOOTHING = 2e-3  # of the spline: the cloth does not follow every point of the mesh

# Mesh points that cloth touches: on the midline, and in pairs of left and right.
_RIDGE = (6, 197, 195, 5, 4)
_SKIN = (
    *((121, 350), (119, 348), (117, 346), (116, 345), (127, 356), (101, 330), (50, 280), (123, 352)),
    *((207, 427), (147, 376), (214, 434), (210, 430), (140, 369), (234, 454), (93, 323), (132, 361)),
    *((58, 288), (172, 397), (136, 365), (150, 379), (149, 378), (148, 377)),
)
_TIP, _CHIN_FRONT, _CHIN = 4, 199, 152
# Cloth spans the way from the nose tip to the front of the chin: shares of it, and with which cheek points it
# is averaged halfway to the cheek.
_SPANS = (0.25, 0.5, 0.75)
_FLANKS = ((0.0, (205, 425)), (0.25, (206, 426)), (0.5, (214, 434)), (0.8, (210, 430)))
# Below the jaw: pairs of mesh points with their displacement outwards, down and into the head.
_BELOW = (
    *(((58, 288), (0.02, 0.10, 0.10)), ((172, 397), (0.02, 0.10, 0.10)), ((150, 379), (0.0, 0.12, 0.10))),
    *(((148, 377), (0.0, 0.09, 0.10)), ((150, 379), (0.02, 0.45, 0.40)), ((172, 397), (-0.08, 0.45, 0.35))),
    *(((150, 379), (0.04, 0.95, 0.45)), ((172, 397), (-0.08, 0.95, 0.40)), ((148, 377), (0.0, 0.42, 0.42))),
)


class Surface(NamedTuple):
    """The grid of one face.

    Attributes:
        points: (rows, columns, 3) float64: x and y in pixels of the image, z in pixels, smaller is nearer.
        normals: (rows, columns, 3) float64: unit normals that point away from the head.
    """

    points: Array
    normals: Array


@cache
def grid_uv() -> tuple[Array, Array]:
    """U and v of the grid's points, both (rows, columns) float64."""
    u = np.arange(round((_LAST_U - _FIRST_U) / _STEP) + 1) * _STEP + _FIRST_U
    v = np.arange(round((_LAST_V - _FIRST_V) / _STEP) + 1) * _STEP + _FIRST_V
    across, down = np.meshgrid(u, v)
    return across, down


def unrolled(points: Array) -> Array:
    """(n, 2) float64 u and v of (n, 3) points in the frame of `canonical_face`."""
    angle = np.arctan2(points[:, 0], _AXIS - points[:, 2])
    return np.stack([_RADIUS * angle, points[:, 1]], axis=1)


@cache
def _controls() -> tuple[Array, Array]:
    """(n, 468) float64 weights of mesh points, and (n, 3) displacements along the face's axes."""
    rows: list[tuple[dict[int, float], tuple[float, float, float]]] = []

    def add(weights: dict[int, float], off: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        rows.append((weights, off))

    for index in (*_RIDGE, *(index for pair in _SKIN for index in pair), _CHIN_FRONT, _CHIN):
        add({index: 1.0})
    for share in _SPANS:
        add({_TIP: 1 - share, _CHIN_FRONT: share})
    for share, pair in _FLANKS:
        for index in pair:
            add({_TIP: (1 - share) / 2, _CHIN_FRONT: share / 2, index: 0.5})
    for pair, (out, down, into) in _BELOW:
        for index, side in zip(pair, (-1, 1), strict=True):
            add({index: 1.0}, (side * out, down, into))
    for down, into in ((0.10, 0.10), (0.40, 0.42), (0.9, 0.48)):
        add({_CHIN: 1.0}, (0.0, down, into))
    weights = np.zeros((len(rows), 468))
    for number, (shares, _) in enumerate(rows):
        for index, share in shares.items():
            weights[number, index] += share
    return weights, np.array([off for _, off in rows])


@cache
def _operator() -> tuple[NDArray[np.intp], Array, Array]:
    """The used mesh points, the (grid points, used) matrix from them, and (grid points, 3) displacements."""
    weights, offsets = _controls()
    places = unrolled(weights @ canonical_face() + offsets)
    grid = np.stack([plane.ravel() for plane in grid_uv()], axis=1)
    spline = spline_matrix(places, grid, _SMOOTHING)
    used = np.flatnonzero(weights.any(axis=0))
    return used, spline @ weights[:, used], spline @ offsets


def spline_matrix(places: Array, queries: Array, smoothing: float) -> Array:
    """(queries, places) matrix of a thin-plate spline (Bookstein, "Principal Warps", 1989).

    places: (n, 2) where the spline takes given values; queries: (m, 2) where it is evaluated; smoothing: 0
    for a spline that takes the values exactly, for lengths around 1.
    """
    count = len(places)

    def kernel(first: Array, second: Array) -> Array:
        squared = ((first[:, None] - second[None]) ** 2).sum(axis=2)
        return np.asarray(squared * np.log(squared + 1e-12) / 2)

    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = kernel(places, places) + smoothing * np.eye(count)
    system[:count, count], system[:count, count + 1 :] = 1, places
    system[count:, :count] = system[:count, count:].T
    basis = np.c_[kernel(queries, places), np.ones(len(queries)), queries]
    return np.asarray(basis @ np.linalg.inv(system)[:, :count])


def surface(landmarks: Landmarks, stand_off: Array) -> Surface:
    """The cloth over one face.

    Args:
        landmarks: The face.
        stand_off: (rows, columns) float64: how far the cloth stands off the surface, in eye distances. It
            has all rows of the grid, or the first ones.
    """
    used, matrix, offsets = _operator()
    axes, unit = landmarks.axes, landmarks.eye_distance
    count = stand_off.size
    points = _weighted_sums(matrix[:count], landmarks.points[used].astype(np.float64))
    off = offsets[:count] + stand_off.reshape(-1, 1) * _outwards()[:count]
    points += unit * _weighted_sums(off, axes)
    points = points.reshape(*stand_off.shape, 3)
    return Surface(points, _normals(points))


@compiled
def _weighted_sums(weights: Array, points: Array) -> Array:
    """(n, 3) float64 product of (n, m) weights and (m, 3) points.

    A product by BLAS would start threads for it, and its last bits would depend on the processor.
    """
    sums = np.zeros((len(weights), 3))
    for i in range(len(weights)):
        for k in range(len(points)):
            for axis in range(3):
                sums[i, axis] += weights[i, k] * points[k, axis]
    return sums


@cache
def _outwards() -> Array:
    """(grid points, 3) unit normals of the mean face's surface, along the face's axes."""
    used, matrix, offsets = _operator()
    points = matrix @ canonical_face()[used] + offsets
    return _normals(points.reshape(*grid_uv()[0].shape, 3)).reshape(-1, 3)


def _normals(points: Array) -> Array:
    """(rows, columns, 3) unit normals of a grid of points, away from the head."""
    planes = np.ascontiguousarray(np.moveaxis(points, 2, 0))
    (ax, ay, az), (dx, dy, dz) = ([_slope(plane, axis) for plane in planes] for axis in (1, 0))
    # Down x right points away from the head: z points away from the camera.
    normals = np.stack([dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax], axis=2)
    length = np.sqrt((normals * normals).sum(axis=2, keepdims=True))
    return np.asarray(normals / np.maximum(length, 1e-9))


def _slope(plane: Array, axis: int) -> Array:
    """Differences between the neighbours of each point along an axis; the border repeats its neighbour's."""
    slope = np.empty_like(plane)
    if axis:
        slope[:, 1:-1] = plane[:, 2:] - plane[:, :-2]
        slope[:, 0], slope[:, -1] = slope[:, 1], slope[:, -2]
    else:
        slope[1:-1] = plane[2:] - plane[:-2]
        slope[0], slope[-1] = slope[1], slope[-2]
    return slope


def grid_position(surface: Surface, u: Array, v: Array) -> tuple[Array, Array]:
    """(..., 3) points and (..., 3) normals of the surface at places of any shape; clipped to the grid."""
    rows, columns = surface.points.shape[:2]
    across = np.clip((u - _FIRST_U) / _STEP, 0, columns - 1.001)
    down = np.clip((v - _FIRST_V) / _STEP, 0, rows - 1.001)
    i, j = across.astype(int), down.astype(int)
    t, s = (across - i)[..., None], (down - j)[..., None]
    both = np.concatenate(surface, axis=2)
    upper = both[j, i] * (1 - t) + both[j, i + 1] * t
    lower = both[j + 1, i] * (1 - t) + both[j + 1, i + 1] * t
    mixed = upper * (1 - s) + lower * s
    return mixed[..., :3], mixed[..., 3:]
