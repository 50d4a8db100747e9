"""Lay a template that is an image over a face: it is drawn as the mean face from the front would wear it."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import (
    ANCHORS,
    TEMPLATE_ORIGIN,
    TEMPLATE_UNIT,
    Landmarks,
    canonical_face,
    canonical_template_points,
)
from maskgen.masking.fits.warp import warp_template
from maskgen.masking.garment.hang import Placement
from maskgen.masking.garment.rasterize import rasterize, window_around
from maskgen.masking.garment.surface import Surface, grid_position, grid_uv, spline_matrix, surface
from maskgen.records import Image, Layer, MaskTemplate, Plan

Array = NDArray[np.float64]

_STAND_OFF = 0.03  # of the cloth from the face, in eye distances
_TOP, _HALF_WIDTH = 0.1, 1.2  # where a usual template's upper edge and side lie, on the head
_SIDE = 1.32  # greatest distance from the midline that an image covers, along the head
_NOWHERE = 1e5  # x of pixels in which the surface is not in view
_SMOOTHING = 0.05  # of the spline through a template's anchors


def lay_image(
    template: MaskTemplate, levels: Sequence[Image], landmarks: Landmarks, plan: Plan
) -> Layer | None:
    """Lay a template's image over a face.

    Args:
        template: Its anchors say where the parts of the face lie in the image.
        levels: Its premultiplied pyramid, full size first.
        landmarks: The face.
        plan: Gives wear and hang.

    Returns:
        The layer, or None if no part of it lies in the image.
    """
    u, v = grid_uv()
    head = surface(landmarks, np.full(u.shape, _STAND_OFF))
    used = np.abs(u) <= _SIDE
    window = window_around(head.points[used][:, :2], landmarks.image_size)
    if window is None:
        return None
    x, y = Placement(plan, _TOP, _HALF_WIDTH).to_garment(u, v)
    front = grid_position(_mean_surface(), x.ravel(), y.ravel())[0][:, :2] / 100
    carried = np.concatenate([_in_image(template, front), np.abs(u).reshape(-1, 1)], axis=1)
    carried = carried.reshape(*u.shape, 3).astype(np.float32)
    values = rasterize(head.points, np.ones(u.shape, np.bool_), carried, window, _NOWHERE)
    drawn = (values[0] < _NOWHERE) & (values[2] <= _SIDE)
    limit = np.where(drawn, 255, 0).astype(np.uint8)
    map_x, map_y = values[:2]
    span = math.dist(template.anchors["chin"], template.anchors["nose_bridge"])
    length = math.dist(landmarks.points[152].tolist(), landmarks.points[6].tolist())
    return warp_template(levels, map_x, map_y, span / max(length, 1e-3), window[:2], limit)


@lru_cache(maxsize=1)
def _mean_surface() -> Surface:
    """The mean face's surface, in the frame of `canonical_face`."""
    points = canonical_face().astype(np.float32)
    return surface(Landmarks(points * 100, (1, 1)), np.zeros(grid_uv()[0].shape))


@lru_cache(maxsize=64)
def _anchor_spline(template: MaskTemplate) -> tuple[Array, Array] | None:
    """Places of the template's anchors on the mean face, and in its image; None if they are those of maskgen.

    The templates of maskgen's own frame have their anchors where the mean face has them.
    """
    names = sorted(template.anchors)
    anchors = np.array([template.anchors[name] for name in names], dtype=np.float64)
    mean = np.array([canonical_template_points()[list(ANCHORS[name])].mean(axis=0) for name in names])
    return None if np.abs(anchors - mean).max() < 0.5 else ((mean - TEMPLATE_ORIGIN) / TEMPLATE_UNIT, anchors)


def _in_image(template: MaskTemplate, front: Array) -> Array:
    """(n, 2) pixels of the template for (n, 2) places on the mean face, by a spline through its anchors."""
    spline = _anchor_spline(template)
    if spline is None:
        return front * TEMPLATE_UNIT + TEMPLATE_ORIGIN
    places, anchors = spline
    return spline_matrix(places, front, _SMOOTHING) @ anchors
