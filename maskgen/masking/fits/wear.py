"""Wear and hang: how a mask has been pulled down, and how it sits, as changes of the map into template space.

The cloth is moved, not squashed: its middle slides down the face while its corners stay at the ears, and
what would hang below the chin is tucked under it. Both fits use this, as it only knows template space.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Hang, Image, MaskTemplate, Plan

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class _Drape:
    """Where the top edge's middle comes to lie, and how far the lower edge may go below its own place.

    Both as a share of the way from nose bridge to chin, 0 being the bridge and 1 the chin.
    """

    top: float
    below: float


_HEM_SOFTNESS = 4.0
# On the mean face the nostrils end at 0.42 and the upper lip begins at 0.50, the lower lip ends at 0.70.
_DRAPES = {
    "nose-out": _Drape(top=0.45, below=0.02),
    "mouth-out": _Drape(top=0.76, below=0.05),
    "chin": _Drape(top=0.96, below=0.14),
}


@lru_cache(maxsize=256)
def _frame(template: MaskTemplate) -> tuple[float, float, float, float]:
    """(middle x, half width, bridge y, chin y) in template pixels."""
    (bridge_x, bridge_y), (_, chin_y) = template.anchors["nose_bridge"], template.anchors["chin"]
    half = (template.anchors["right_cheek"][0] - template.anchors["left_cheek"][0]) / 2
    return bridge_x, half, bridge_y, chin_y


@lru_cache(maxsize=256)
def _top_edge(template: MaskTemplate) -> Plane:
    """(width,) float32: y of the upper edge in each column, smoothed; beside the mask as at its side."""
    opaque = template.bgra[:, :, 3] >= 128
    columns = np.flatnonzero(opaque.any(axis=0))
    if len(columns) == 0:
        return np.zeros(template.bgra.shape[1], np.float32)
    edge = np.interp(np.arange(template.bgra.shape[1]), columns, opaque.argmax(axis=0)[columns])
    smooth = cv2.GaussianBlur(edge[None].astype(np.float32), (0, 0), 0.02 * template.bgra.shape[1])
    return np.asarray(smooth[0], np.float32)


@lru_cache(maxsize=64)
def _above_lower_edge(template: MaskTemplate) -> Image:
    """(height, width) uint8: the alpha, filled upwards, so that only the lower edge still limits.

    The edge is soft over some pixels, as small faces see it from far: a hard one would show as steps.
    """
    upwards = np.maximum.accumulate(template.bgra[::-1, :, 3], axis=0)[::-1]
    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(upwards), (0, 0), _HEM_SOFTNESS), np.uint8)


def drape(
    template: MaskTemplate, drawn: Plan, map_x: Plane, map_y: Plane
) -> tuple[Plane, Plane, Image | None]:
    """`hung` and then `worn`."""
    return worn(template, drawn, *hung(template, drawn, map_x, map_y))


def worn(
    template: MaskTemplate, drawn: Plan, map_x: Plane, map_y: Plane
) -> tuple[Plane, Plane, Image | None]:
    """Change a map into template space to that of a mask worn so.

    Args:
        template: The template that the map leads into.
        drawn: Its wear is used.
        map_x: (height, width) float32 template x of each pixel.
        map_y: Likewise y.

    Returns:
        The changed ``map_x`` and ``map_y``, and an alpha of their shape that limits the layer's, or None.
    """
    if drawn.wear == "correct":
        return map_x, map_y, None
    goal = _DRAPES[drawn.wear]
    middle, half, bridge, chin = _frame(template)
    length = chin - bridge
    return _pulled(
        map_x,
        map_y,
        # A peak drawn for the nose ridge lies flat below it, so every column's edge comes to the same height.
        (bridge + goal.top * length - _top_edge(template)).astype(np.float32),
        _above_lower_edge(template),
        middle,
        half * 1.04,
        goal.below * length,
    )


@compiled
def _pulled(
    map_x: Plane, map_y: Plane, shifts: Plane, above: Image, middle: float, half: float, below: float
) -> tuple[Plane, Plane, Image]:
    """The maps of a mask that is pulled down, and the alpha that limits it.

    Args:
        map_x: (height, width) float32 template x.
        map_y: Likewise y.
        shifts: (columns,) float32: how far each column of the template is pulled down.
        above: (rows, columns) uint8: 255 from the lower edge upwards.
        middle: Where the shift is whole.
        half: How far from there it has faded to nothing.
        below: How far the lower edge may go below its place.
    """
    height, width = map_x.shape
    rows, columns = above.shape
    pulled, limit = np.empty((height, width), np.float32), np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            x, y = map_x[row, column], map_y[row, column]
            in_x = min(max(x, np.float32(0)), np.float32(columns - 1))
            first = int(in_x)
            second, share = min(first + 1, columns - 1), in_x - np.float32(first)
            shift = shifts[first] + share * (shifts[second] - shifts[first])
            # The corners at the ears hold the cloth: the shift fades to nothing there.
            sideways = min(abs(x - np.float32(middle)) / np.float32(half), np.float32(1))
            fade = np.float32(1) - sideways * sideways
            pulled[row, column] = y - shift * fade
            if y < below:
                # Above the image the filled alpha goes on upwards without end.
                limit[row, column] = 255
                continue
            in_y = y - np.float32(below) * fade
            if not (x > -1 and x < columns and in_y > -1 and in_y < rows):
                continue
            total = np.float32(0)
            left, top = int(np.floor(x)), int(np.floor(in_y))
            for down in range(2):
                for across in range(2):
                    if 0 <= left + across < columns and 0 <= top + down < rows:
                        over = np.float32(1) - abs(x - np.float32(left + across))
                        over *= np.float32(1) - abs(in_y - np.float32(top + down))
                        total += over * np.float32(above[top + down, left + across])
            limit[row, column] = int(total + np.float32(0.5))
    return map_x, pulled, limit


def hung(template: MaskTemplate, drawn: Plan, map_x: Plane, map_y: Plane) -> tuple[Plane, Plane]:
    """The map of a mask that sits a little otherwise; hung as it fits, it stays as it is.

    Args:
        template: The template that the map leads into.
        drawn: Its hang and seed are used.
        map_x: (n, m) float32 template x of any places, such as the nodes of a lattice.
        map_y: Likewise y.
    """
    hang, seed = drawn.hang, drawn.seed
    if hang == Hang():
        return map_x, map_y
    middle, _, bridge, chin = _frame(template)
    length = chin - bridge
    phases = [(seed >> shift) % 628 / 100 for shift in (0, 10, 20)]
    # Turned and sized about the mouth, where a mask is held least.
    return _moved(
        map_x,
        map_y,
        middle,
        bridge + 0.6 * length,
        hang.lift * length,
        math.cos(math.radians(hang.tilt)) / hang.size,
        math.sin(math.radians(hang.tilt)) / hang.size,
        # Three long waves in the cloth, a third to two thirds of its length.
        2 * math.pi / length,
        hang.slack * length,
        *phases,
    )


@compiled
def _moved(
    map_x: Plane,
    map_y: Plane,
    middle_x: float,
    middle_y: float,
    lift: float,
    cosine: float,
    sine: float,
    wave: float,
    reach: float,
    phase_1: float,
    phase_2: float,
    phase_3: float,
) -> tuple[Plane, Plane]:
    """The maps turned and sized about the middle, with waves of ``reach`` template pixels."""
    height, width = map_x.shape
    moved_x, moved_y = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            x, y = map_x[row, column] - middle_x, map_y[row, column] - middle_y + lift
            x, y = x * cosine + y * sine, y * cosine - x * sine
            if reach != 0:
                y += reach * np.sin(1.6 * wave * x + phase_1)
                y += reach * 0.6 * np.sin(2.6 * wave * x + phase_2)
                x += reach * np.sin(1.8 * wave * y + phase_3)
            moved_x[row, column], moved_y[row, column] = x + middle_x, y + middle_y
    return moved_x, moved_y
