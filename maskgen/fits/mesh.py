"""The mesh fit: the template is laid over the face by some seventy points of the cloth at once.

A thin-plate spline (Bookstein, "Principal Warps", 1989) leads from the image into template space, so that one
`cv2.remap` renders the layer and no triangle shows. Points of the cloth that face away from the camera have
no say in it, less and less as they turn away, so nothing jumps between one pose and the next; what they would
show lies behind the outline of the whole cloth, and that outline cuts the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.anchors import ANCHORS
from maskgen.fits.canonical import canonical_template_points
from maskgen.fits.cloth import cloth, cloth_in_template_space, cloth_normals
from maskgen.fits.lattice import Lattice
from maskgen.fits.render import render, window_around
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
_AROUND = np.array([(np.cos(turn), np.sin(turn)) for turn in np.arange(8) * np.pi / 4])


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
    depth = cloth_normals() @ axes[:, 2]
    hidden = np.clip((depth - _TURNS_AWAY) / (_HIDDEN - _TURNS_AWAY), 0, 1) ** 2
    centre = at.mean(axis=0)
    spline = _Spline((at - centre) / unit, _targets(template), _STIFF * (_LOOSE / _STIFF) ** hidden)
    reach = _HEM * unit
    window = window_around(np.concatenate([at - reach, at + reach]), landmarks.image_size)
    if window is None:
        return None
    left, top, columns, rows = window
    cells = min(max(max(columns, rows) // _CELL, _LEAST_CELLS), _MOST_CELLS)
    lattice = Lattice.over(columns, rows, cells)
    nodes = lattice.nodes() + np.array((left, top))
    bent = spline(((nodes - centre) / unit).reshape(-1, 2)).reshape(nodes.shape)
    map_x, map_y = hung(template, plan, bent[:, :, 0], bent[:, :, 1])
    map_x, map_y = lattice.fill(map_x), lattice.fill(map_y)
    map_x, map_y, limit = worn(template, plan, map_x, map_y)
    outline = _outline(at, reach, window)
    limit = outline if limit is None else np.minimum(limit, outline).astype(np.uint8)
    anchors = template.anchors
    span = float(np.linalg.norm(np.subtract(anchors["chin"], anchors["nose_bridge"])))
    length = float(np.linalg.norm(points[152] - points[6]))
    return render(levels, map_x, map_y, span / max(length, 1e-3), (left, top), limit)


class _Spline:
    """A smoothing thin-plate spline from (n, 2) places to (n, 2) values."""

    def __init__(self, places: Array, values: Array, smoothing: Array) -> None:
        count = len(places)
        system, right = np.zeros((count + 3, count + 3)), np.zeros((count + 3, 2))
        flat = places.astype(np.float32)
        system[:count, :count] = _kernel(flat, flat)
        system.flat[: count * (count + 3) : count + 4] += smoothing
        system[:count, count], system[:count, count + 1 :] = 1, places
        system[count:, :count] = system[:count, count:].T
        right[:count] = values
        self._places = places
        self._weights = np.linalg.solve(system, right)

    def __call__(self, places: Array) -> NDArray[np.float32]:
        count = len(self._places)
        weights, centres, at = (part.astype(np.float32) for part in (self._weights, self._places, places))
        bent = _kernel(at, centres) @ weights[:count]
        return np.asarray(bent + at @ weights[count + 1 :] + weights[count], np.float32)


def _kernel(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """r^2 log r^2 / 2 of all pairs."""
    squared = np.square(a[:, :1] - b[:, 0]) + np.square(a[:, 1:] - b[:, 1])
    logarithm = np.log(np.maximum(squared, a.dtype.type(1e-12)))
    return np.asarray(logarithm * squared * a.dtype.type(0.5))


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
    spline = _Spline((mean - centre) / unit, drawn, np.full(len(names), 0.05))
    return spline((cloth_in_template_space() - centre) / unit).astype(np.float64)


def _outline(at: Array, reach: float, window: tuple[int, int, int, int]) -> Image:
    """(height, width) uint8: the convex outline of the cloth, ``reach`` pixels wider, with a soft edge."""
    left, top, columns, rows = window
    inner = cv2.convexHull(at.astype(np.float32)).reshape(-1, 1, 2)
    hull = cv2.convexHull((inner + reach * _AROUND).astype(np.float32).reshape(-1, 2)).reshape(-1, 2)
    outline = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(outline, [np.round((hull - (left, top)) * 16).astype(np.int32)], [255], cv2.LINE_AA, 4)
    return outline
