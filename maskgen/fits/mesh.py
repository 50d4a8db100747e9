"""The mesh fit: the template is laid over the face by some seventy points of the cloth at once.

A thin-plate spline leads from the image into template space, so that no triangle shows. Points of the cloth
that face away from the camera have no say in it, less and less as they turn away, so nothing jumps between
one pose and the next; what they would show lies behind the outline of the whole cloth, and that outline cuts
the layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from maskgen.anchors import ANCHORS
from maskgen.compiled import compiled
from maskgen.fits.canonical import canonical_template_points
from maskgen.fits.cloth import cloth, cloth_in_template_space, cloth_normals
from maskgen.fits.lattice import Lattice
from maskgen.fits.outline import outline
from maskgen.fits.render import render, window_around
from maskgen.fits.spline import Spline
from maskgen.fits.wear import hung, worn
from maskgen.records import Image, Landmarks, Layer, MaskTemplate, Plan

Array = NDArray[np.float64]

# Smoothing of a control point in full view and of one that is hidden, for lengths in eye distances.
_STIFF, _LOOSE = 5e-2, 30.0
# The depth of a cloth normal (0 is sideways, 1 away from the camera) from which its point begins to be
# hidden, and at which it is.
_TURNS_AWAY, _HIDDEN = 0.22, 0.55
# The map is smooth: it is computed at nodes about this many pixels apart, at least and at most so many along
# the window's longer side, and filled in by cubics.
_CELL, _LEAST_CELLS, _MOST_CELLS = 12, 9, 20
# How far the cloth stands off beyond the control points' outline, in eye distances.
_HEM = 0.035
# And in pixels, so that its soft edge lies outside.
_EDGE = 0.6


def mesh(template: MaskTemplate, levels: Sequence[Image], landmarks: Landmarks, plan: Plan) -> Layer | None:
    """Fit ``template`` to a face by a thin-plate spline over the cloth.

    Args:
        template: All its anchors are used.
        levels: The template's premultiplied pyramid, full size first.
        landmarks: The face.
        plan: Wear and hang are taken from it.

    Returns:
        The layer, or None if no part of it lies in the image.
    """
    points = landmarks.points.astype(np.float64)
    unit = max(landmarks.eye_distance, 1e-3)
    axes = landmarks.axes
    at = cloth(points, unit, axes[2])[:, :2]
    centre = at.mean(axis=0)
    spline = Spline.through((at - centre) / unit, _targets(template), _smoothing(cloth_normals(), axes))
    reach = _HEM * unit
    window = window_around(np.concatenate([at - reach, at + reach]), landmarks.image_size)
    if window is None:
        return None
    left, top, columns, rows = window
    cells = min(max(max(columns, rows) // _CELL, _LEAST_CELLS), _MOST_CELLS)
    lattice = Lattice.over(columns, rows, cells)
    corner = np.array((left, top)) - centre
    map_x, map_y = hung(template, plan, *spline((lattice.nodes() + corner) / unit))
    map_x, map_y, limit = worn(template, plan, lattice.fill(map_x), lattice.fill(map_y))
    around = outline(at, reach + _EDGE, window)
    limit = around if limit is None else np.minimum(limit, around)
    anchors = template.anchors
    span = math.dist(anchors["chin"], anchors["nose_bridge"])
    length = math.dist(points[152].tolist(), points[6].tolist())
    return render(levels, map_x, map_y, span / max(length, 1e-3), (left, top), limit)


@compiled
def _smoothing(normals: Array, axes: Array) -> Array:
    """(n,): of each of the cloth's points, by how far the face's (3, 3) axes turn its normal away."""
    smoothing = np.empty(len(normals))
    for number in range(len(normals)):
        depth = 0.0
        for axis in range(3):
            depth += normals[number, axis] * axes[axis, 2]
        hidden = min(max((depth - _TURNS_AWAY) / (_HIDDEN - _TURNS_AWAY), 0.0), 1.0) ** 2
        smoothing[number] = _STIFF * np.exp(hidden * np.log(_LOOSE / _STIFF))
    return smoothing


@lru_cache(maxsize=64)
def _targets(template: MaskTemplate) -> Array:
    """(n, 2): where the cloth's control points lie in this template.

    A template that maskgen drew has its anchors where the mean face has them. Another one is led there by a
    spline over the anchors that it names, which with three of them is an affine map.
    """
    names = sorted(template.anchors)
    drawn = np.array([template.anchors[name] for name in names], dtype=np.float64)
    mean = np.array([canonical_template_points()[list(ANCHORS[name])].mean(axis=0) for name in names])
    if np.abs(drawn - mean).max() < 0.5:
        return cloth_in_template_space()
    centre, unit = mean.mean(axis=0), 600.0
    spline = Spline.through((mean - centre) / unit, drawn, np.full(len(names), 0.05))
    x, y = spline((cloth_in_template_space()[None] - centre) / unit)
    return np.asarray(np.stack([x[0], y[0]], axis=1), np.float64)
