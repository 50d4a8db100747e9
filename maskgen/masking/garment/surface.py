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
# Sine of the turn from which on the nose hides the far side, and at which it hides all of it above this v.
_TURNED, _HIDDEN, _NOSE = 0.42, 0.72, 0.38

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
    """The used mesh points, the (used, grid points) weights of them, and (grid points, 3) displacements."""
    weights, offsets = _controls()
    places = unrolled(weights @ canonical_face() + offsets)
    grid = np.stack([plane.ravel() for plane in grid_uv()], axis=1)
    spline = spline_matrix(places, grid, _SMOOTHING)
    used = np.flatnonzero(weights.any(axis=0))
    return used, np.ascontiguousarray((spline @ weights[:, used]).T), spline @ offsets


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
    rows, columns = stand_off.shape
    points = _points(
        matrix,
        landmarks.points[used].astype(np.float64),
        offsets[: rows * columns],
        _outwards(),
        stand_off.reshape(-1),
        landmarks.axes.astype(np.float64) * landmarks.eye_distance,
    )
    points = points.reshape(rows, columns, 3)
    return Surface(points, _normals(points))


def hide_behind_nose(points: Array, landmarks: Landmarks) -> None:
    """Pull what stands out beyond the nose's ridge on the far side of a turned face back to the ridge.

    Meshes of profiles are turned too little: without this, a corner stands up beside the nose as a spike.
    points: (rows, columns, 3) of a `Surface`; changed in place.
    """
    right, turned = landmarks.axes[0], abs(landmarks.axes[0, 2])
    if turned < _TURNED:
        return
    side = int(np.sign(right[2]))
    far = points[:, points.shape[1] // 2 :: side]
    ways = far - far[:, :1]
    beyond = ways @ (right * (side, side, 0))
    most = _HIDDEN - turned + np.maximum(grid_uv()[1][: len(points), :1] - _NOSE, 0)
    most = np.maximum(most, 1e-3) * landmarks.eye_distance
    far[:] -= ways * (1 - most / np.maximum(beyond, most))[:, :, None]


@compiled
def _points(
    weights: Array, mesh: Array, offsets: Array, outwards: Array, stand_off: Array, axes: Array
) -> Array:
    """(n, 3) points: sums of (m, 3) mesh points with (m, at least n) weights, displaced along the axes.

    offsets, outwards: (n, 3); stand_off: (n,), a length outwards; axes: (3, 3), as long as an eye distance.
    A product by BLAS would start threads for it, and its last bits would depend on the processor.
    """
    count = len(stand_off)
    sums = np.zeros((3, count))
    for k in range(len(mesh)):
        for axis in range(3):
            value, row = mesh[k, axis], weights[k]
            for i in range(count):
                sums[axis, i] += row[i] * value
    points = np.empty((count, 3))
    for i in range(count):
        across, down, into = (
            offsets[i, 0] + stand_off[i] * outwards[i, 0],
            offsets[i, 1] + stand_off[i] * outwards[i, 1],
            offsets[i, 2] + stand_off[i] * outwards[i, 2],
        )
        for axis in range(3):
            moved = across * axes[0, axis] + down * axes[1, axis] + into * axes[2, axis]
            points[i, axis] = sums[axis, i] + moved
    return points


@cache
def _outwards() -> Array:
    """(grid points, 3) unit normals of the mean face's surface, along the face's axes."""
    used, matrix, offsets = _operator()
    points = (matrix.T @ canonical_face()[used] + offsets).reshape(*grid_uv()[0].shape, 3)
    return _normals(points).reshape(-1, 3)


@compiled
def _normals(points: Array) -> Array:
    """(rows, columns, 3) unit normals of a grid of points, away from the head.

    They are those of the differences between the neighbours of a point; the border has its neighbours'.
    """
    rows, columns = points.shape[:2]
    normals = np.empty_like(points)
    for row in range(rows):
        below = min(max(row, 1), rows - 2)
        for column in range(columns):
            beside = min(max(column, 1), columns - 2)
            right, left = points[row, beside + 1], points[row, beside - 1]
            lower, upper = points[below + 1, column], points[below - 1, column]
            ax, ay, az = right[0] - left[0], right[1] - left[1], right[2] - left[2]
            dx, dy, dz = lower[0] - upper[0], lower[1] - upper[1], lower[2] - upper[2]
            # Down x right points away from the head: z points away from the camera.
            x, y, z = dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax
            share = 1 / max(np.sqrt(x * x + y * y + z * z), 1e-9)
            normals[row, column, 0] = x * share
            normals[row, column, 1] = y * share
            normals[row, column, 2] = z * share
    return normals


@compiled
def _grid_position(points: Array, normals: Array, u: Array, v: Array) -> tuple[Array, Array]:
    """u, v: (n,)."""
    rows, columns = points.shape[:2]
    at, facing = np.empty((len(u), 3)), np.empty((len(u), 3))
    for k in range(len(u)):
        across = min(max((u[k] - _FIRST_U) / _STEP, 0.0), columns - 1.001)
        down = min(max((v[k] - _FIRST_V) / _STEP, 0.0), rows - 1.001)
        i, j = int(across), int(down)
        t, s = across - i, down - j
        for grid, into in ((points, at), (normals, facing)):
            for axis in range(3):
                upper = grid[j, i, axis] * (1 - t) + grid[j, i + 1, axis] * t
                lower = grid[j + 1, i, axis] * (1 - t) + grid[j + 1, i + 1, axis] * t
                into[k, axis] = upper * (1 - s) + lower * s
    return at, facing


def grid_position(surface: Surface, u: Array, v: Array) -> tuple[Array, Array]:
    """(..., 3) points and (..., 3) normals of the surface at places of any shape; clipped to the grid."""
    points, normals = _grid_position(surface.points, surface.normals, u.reshape(-1), v.reshape(-1))
    return points.reshape(*u.shape, 3), normals.reshape(*u.shape, 3)
