"""Drape a garment over a face: from a `Garment` to a `Layer` in image space."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.garment.cut import NOWHERE, cut
from maskgen.masking.garment.garment import Garment, Patch
from maskgen.masking.garment.hang import Placement
from maskgen.masking.garment.loops import draw_loops, half_width, loop_paths
from maskgen.masking.garment.rasterize import rasterize, window_around
from maskgen.masking.garment.shading import EXPOSURE, UNLIT, shade, usual_light
from maskgen.masking.garment.surface import grid_uv, hide_behind_nose, surface
from maskgen.records import Layer, Plan

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

_MARGIN = 3  # pixels around the garment's points
_SPARE = 0.1  # of the surface around the garment, in eye distances
# Weak folds and grooves below this many pixels are drawn softer, as a camera sees them.
_FINEST = 0.8


def drape(garment: Garment, landmarks: Landmarks, plan: Plan, light: LightDirection) -> Layer | None:
    """Draw a garment on a face in the light of the photograph, without its colour and exposure.

    Returns:
        The layer, or None if no part of it lies in the image.
    """
    outline = garment.outline
    placement = Placement(
        plan,
        float(outline.top[0]),
        outline.extent[0],
        garment.corners_slide,
        outline.below_eyes,
        float(outline.bottom[0]),
    )
    unit = max(landmarks.eye_distance, 1e-3)
    x, y = placement.to_garment(*grid_uv())
    reach, top, bottom = outline.extent
    used = (np.abs(x) < reach + _SPARE) & (y > top - _SPARE) & (y < bottom + _SPARE)
    # The grid ends a row below the garment.
    rows = slice(0, int(np.flatnonzero(used.any(axis=1))[-1]) + 2)
    x, y, used = x[rows], y[rows], used[rows]
    head = surface(landmarks, garment.stand_off(x, y))
    hide_behind_nose(head.points, landmarks)
    paths = loop_paths(garment, placement, head)
    points = np.concatenate([head.points[used][:, :2], *(path for _, path in paths)])
    window = window_around(points, landmarks.image_size, _MARGIN)
    if window is None:
        return None
    carried = np.concatenate([x[:, :, None], y[:, :, None], head.normals], axis=2).astype(np.float32)
    values = rasterize(head.points, used, carried, window, NOWHERE)
    color, nearest, heights = cut(garment, values, _FINEST / unit)
    for patch in garment.patches:
        _add_patch(patch, values, color, heights)
    heights *= np.float32(unit)
    usual = usual_light(head.normals, used, light.direction, light.strength)
    loops = draw_loops(paths, window, unit)
    bgr, alpha = shade(color, values, heights, nearest, light, usual, garment.cloth, loops, unit)
    left, top, width, height = cv2.boundingRect(alpha)
    if not width:
        return None
    part = slice(top, top + height), slice(left, left + width)
    origin = window[0] + left, window[1] + top
    return Layer(
        np.ascontiguousarray(bgr[part]),
        np.ascontiguousarray(alpha[part]),
        origin,
        exposure=EXPOSURE,
        unlit=UNLIT,
        loops=tuple(
            (path.astype(np.float32), half_width(loop, unit)) for loop, path in paths if not loop.over_hair
        ),
    )


def _add_patch(patch: Patch, values: Floats, color: Floats, heights: Floats) -> None:
    x, y = values[0], values[1]
    rows, columns = patch.bgra.shape[:2]
    map_x = (x - np.float32(patch.place[0])) * np.float32(columns / patch.size[0]) + np.float32(
        columns / 2 - 0.5
    )
    map_y = (y - np.float32(patch.place[1])) * np.float32(rows / patch.size[1]) + np.float32(rows / 2 - 0.5)
    inside = (map_x > -1) & (map_x < columns) & (map_y > -1) & (map_y < rows)
    left, top, width, height = cv2.boundingRect(inside.astype(np.uint8))
    if not width:
        return
    part = slice(top, top + height), slice(left, left + width)
    drawn = cv2.remap(patch.bgra, map_x[part], map_y[part], cv2.INTER_LINEAR, borderValue=[0, 0, 0, 0])
    share = drawn[:, :, 3:].astype(np.float32) / 255
    color[part] += (drawn[:, :, :3] - color[part]) * share
    if patch.heights is not None:
        raised = cv2.remap(patch.heights, map_x[part], map_y[part], cv2.INTER_LINEAR, borderValue=[0])
        heights[part] = heights[part] * (1 - share[:, :, 0]) + raised
