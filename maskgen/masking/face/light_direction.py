"""The direction of the light on a face, from the shading of its skin over the normals of the mesh.

Skin is nearly Lambertian: its luminance is an ambient share plus a share that goes with the cosine between
normal and light. Both are fitted to the skin under some points of the mesh.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks, canonical_face
from maskgen.masking.face.light import Light

Doubles = NDArray[np.float64]

# In eye distances: the radius of the surface to which a point's normal belongs (cheeks, not pores), and the
# least distance between two points that are used.
_PATCH, _APART = 0.22, 0.1
_FACING = 0.3  # cosine between a normal and the view below which hair and background begin
_GAMMA = 2.2  # of the luminance in an image file
_LUMINANCE = np.array([0.114, 0.587, 0.299])
_OUTLYING = 0.25  # deviation from the first fit, as a share of the mean, at which a point counts half
# The light vector of the usual image (the mean over 1187 faces of FairFace), and how much evidence it takes,
# in squared normals, to move halfway from it.
_USUAL, _STUBBORN = np.array([0.0, -0.17, -0.42]), 0.5


@dataclass(frozen=True, eq=False)
class LightDirection:
    """Where the light on a face comes from.

    Attributes:
        direction: (3,) float64: unit vector towards the light: x right, y down, z away from the camera.
        strength: Directional share of the light that falls on a surface that faces it, from 0 to 1.
    """

    direction: Doubles
    strength: float


def measure_direction(light: Light, landmarks: Landmarks) -> LightDirection:
    """Fit ambient and directional light to the skin of a face."""
    chosen, canonical_normals, canonical_axes = _canonical_normals()
    normals = canonical_normals @ (canonical_axes.T @ landmarks.axes)
    weights, luminance = _skin_at(light, landmarks.points.take(chosen, axis=0)[:, :2])
    weights *= np.maximum(-normals[:, 2] - _FACING, 0)
    ambient, vector = _fit(normals, luminance, weights)
    # A second round: surfaces turned away get no directional light, and outliers count less.
    cosines = normals @ vector
    normals *= (cosines > 0)[:, None]
    deviations = (luminance - ambient - np.maximum(cosines, 0)) / _OUTLYING
    ambient, vector = _fit(normals, luminance, weights / (1 + deviations * deviations))
    length = math.hypot(*vector.tolist())
    direction = vector / length if length > 0 else np.array([0.0, 0.0, -1.0])
    # Rounded: the last bits of numpy's exponentials and products differ between processors.
    return LightDirection(direction.round(4), round(length / max(length + max(ambient, 0.0), 1e-6), 4))


def _skin_at(light: Light, points: NDArray[np.float32]) -> tuple[Doubles, Doubles]:
    """(n,) weights as skin and (n,) luminances relative to the skin's mean, at (n, 2) points of the image."""
    places = light.part.points(points)[:, None]
    # Logarithms times the weight, and the weight; both are 0 outside the part.
    none: Any = None  # OpenCV's stubs lack it
    samples = cv2.remap(light.weighted, places, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)[:, 0]
    weights = samples[:, 3].astype(np.float64)
    logarithms = samples[:, :3] @ _LUMINANCE / np.maximum(weights, 1e-6)
    return weights, np.exp(_GAMMA * (logarithms - float(light.skin @ _LUMINANCE)))


def _fit(normals: Doubles, luminance: Doubles, weights: Doubles) -> tuple[float, Doubles]:
    """Weighted least squares of luminance = ambient + normal . vector, drawn to the usual vector."""
    total = max(float(weights.sum()), 1e-6)
    mean_normal, mean = weights @ normals / total, float(weights @ luminance) / total
    centered = normals - mean_normal
    weighted = (centered * weights[:, None]).T
    matrix = weighted @ centered
    matrix.ravel()[::4] += _STUBBORN
    sums = weighted @ (luminance - mean) + _STUBBORN * _USUAL
    vector = np.asarray(cv2.solve(matrix, sums[:, None])[1][:, 0], np.float64)
    return mean - float(mean_normal @ vector), vector


@cache
def _canonical_normals() -> tuple[NDArray[np.int64], Doubles, Doubles]:
    """(n,) indices of evenly spread mesh points; their (n, 3) outward normals in the mean face; its axes."""
    points = canonical_face()
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    chosen: list[int] = []
    for index in range(len(points)):
        if not chosen or distances[index, chosen].min() > _APART:
            chosen.append(index)
    normals = np.empty((len(chosen), 3))
    inside_head = points.mean(axis=0) + np.array([0, 0, 0.6])
    for row, index in enumerate(chosen):
        near = points[distances[index] < _PATCH]
        normal = np.linalg.svd(near - near.mean(axis=0), full_matrices=False)[2][2]
        normals[row] = normal * math.copysign(1, (points[index] - inside_head) @ normal)
    return np.array(chosen), normals, Landmarks(points.astype(np.float32), (1, 1)).axes
