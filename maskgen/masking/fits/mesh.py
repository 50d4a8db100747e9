"""The mesh fit: a thin-plate spline over about seventy control points of the cloth.

The spline maps the image into template space; a spline shows no triangles. The weight of a control point
falls smoothly to nothing as it turns away from the camera, so the result changes smoothly with the pose. The
hull of all control points cuts the layer.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import ANCHORS, Landmarks, canonical_template_points
from maskgen.jit import compiled
from maskgen.masking.fits.catmull_rom import Lattice
from maskgen.masking.fits.cloth import cloth, cloth_in_template_space, cloth_normals
from maskgen.masking.fits.hull_alpha import hull_alpha
from maskgen.masking.fits.thin_plate_spline import fit_spline, spline
from maskgen.masking.fits.warp import warp_template, window_of
from maskgen.masking.fits.wear import apply_hang, apply_wear
from maskgen.records import Image, Layer, MaskTemplate, Plan

Array = NDArray[np.float64]

# Smoothing of a visible and of a hidden control point, for lengths in eye distances.
_STIFF, _LOOSE = 5e-2, 30.0
# Depth of a cloth normal (0 is sideways, 1 away from the camera) at which its point begins to be hidden, and
# at which it is fully hidden.
_TURNS_AWAY, _HIDDEN = 0.22, 0.55
# The map is smooth: it is computed at nodes about _CELL pixels apart and interpolated by cubics. Least and
# greatest number of cells along the window's longer side.
_CELL, _LEAST_CELLS, _MOST_CELLS = 12, 9, 20
# Distance of the cloth's edge from the hull of the control points, in eye distances and in pixels.
_HEM, _EDGE = 0.035, 0.6


def mesh(template: MaskTemplate, levels: Sequence[Image], landmarks: Landmarks, plan: Plan) -> Layer | None:
    """Fit ``template`` to a face by a thin-plate spline over the cloth.

    Args:
        template: All its anchors are used.
        levels: The template's premultiplied pyramid, full size first.
        landmarks: The face.
        plan: Gives wear and hang.

    Returns:
        The layer, or None if no part of it lies in the image.
    """
    points = landmarks.points.astype(np.float64)
    unit = max(landmarks.eye_distance, 1e-3)
    axes = landmarks.axes
    at = cloth(points, unit, axes[2])
    places, smoothing, centre, extent_ltrb = _project(at, cloth_normals(), axes, unit)
    weights = fit_spline(places, _targets(template), smoothing)
    reach = _HEM * unit
    x0, y0, x1, y1 = extent_ltrb
    window = window_of((x0 - reach, y0 - reach, x1 + reach, y1 + reach), landmarks.image_size)
    if window is None:
        return None
    left, top, columns, rows = window
    cells = min(max(max(columns, rows) // _CELL, _LEAST_CELLS), _MOST_CELLS)
    lattice = Lattice.over(columns, rows, cells)
    corner = np.array((left - centre[0], top - centre[1]))
    nodes = (lattice.nodes() + corner) / unit
    map_x, map_y = apply_hang(template, plan, *spline(places, weights, nodes))
    map_x, map_y, limit = apply_wear(template, plan, lattice.fill(map_x), lattice.fill(map_y))
    hull = hull_alpha(at[:, :2], reach + _EDGE, window)
    limit = hull if limit is None else np.minimum(limit, hull)
    anchors = template.anchors
    span = math.dist(anchors["chin"], anchors["nose_bridge"])
    length = math.dist(points[152].tolist(), points[6].tolist())
    return warp_template(levels, map_x, map_y, span / max(length, 1e-3), (left, top), limit)


@compiled
def _project(
    at: Array, normals: Array, axes: Array, unit: float
) -> tuple[Array, Array, tuple[float, float], tuple[float, float, float, float]]:
    """at, normals: (n, 3) control points and their frontal normals; axes: (3, 3); unit: eye distance.

    Returns: (n, 2) places around their mean, in units; (n,) smoothing; mean x, y; extent_ltrb.
    """
    count = len(at)
    places, smoothing = np.empty((count, 2)), np.empty(count)
    x0 = y0 = np.inf
    x1 = y1 = -np.inf
    mean_x = mean_y = 0.0
    for number in range(count):
        x, y = at[number, 0], at[number, 1]
        x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
        mean_x, mean_y = mean_x + x / count, mean_y + y / count
    for number in range(count):
        places[number, 0] = (at[number, 0] - mean_x) / unit
        places[number, 1] = (at[number, 1] - mean_y) / unit
        depth = 0.0
        for axis in range(3):
            depth += normals[number, axis] * axes[axis, 2]
        hidden = min(max((depth - _TURNS_AWAY) / (_HIDDEN - _TURNS_AWAY), 0.0), 1.0)
        smoothing[number] = _STIFF * np.exp(hidden * hidden * np.log(_LOOSE / _STIFF))
    return places, smoothing, (mean_x, mean_y), (x0, y0, x1, y1)


@lru_cache(maxsize=64)
def _targets(template: MaskTemplate) -> Array:
    """(n, 2): the places of the cloth's control points in a template.

    The templates of maskgen have their anchors where the mean face has them. For others, a spline over the
    template's anchors maps the mean face into the template; with three anchors it is an affine map.
    """
    names = sorted(template.anchors)
    anchors = np.array([template.anchors[name] for name in names], dtype=np.float64)
    mean = np.array([canonical_template_points()[list(ANCHORS[name])].mean(axis=0) for name in names])
    if np.abs(anchors - mean).max() < 0.5:
        return cloth_in_template_space()
    centre, unit = mean.mean(axis=0), 600.0
    places = (mean - centre) / unit
    weights = fit_spline(places, anchors, np.full(len(names), 0.05))
    x, y = spline(places, weights, (cloth_in_template_space()[None] - centre) / unit)
    return np.asarray(np.stack([x[0], y[0]], axis=1), np.float64)
