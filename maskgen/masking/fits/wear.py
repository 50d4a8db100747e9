"""Wear and hang as changes of the map into template space; both fits use them.

Wear pulls the mask down. The cloth is moved, not squashed: its middle slides down the face, its corners stay
at the ears, and cloth below the chin is tucked under it. Hang moves, turns and scales the mask slightly.
"""

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Hang, Image, MaskTemplate, Plan

Plane = NDArray[np.float32]


_HEM_SOFTNESS = 4.0  # blur of the lower edge, in template pixels
# Wear -> place of the middle of the top edge, and how far the lower edge may move below its own place, as
# shares of the way from nose bridge to chin. The lips span 0.50 to 0.70 of it.
_DRAPES = {"nose-out": (0.45, 0.02), "mouth-out": (0.76, 0.05), "chin": (0.96, 0.14)}


@lru_cache(maxsize=256)
def _frame(template: MaskTemplate) -> tuple[float, float, float, float]:
    """(middle x, half width, bridge y, chin y) in template pixels."""
    (bridge_x, bridge_y), (_, chin_y) = template.anchors["nose_bridge"], template.anchors["chin"]
    half = (template.anchors["right_cheek"][0] - template.anchors["left_cheek"][0]) / 2
    return bridge_x, half, bridge_y, chin_y


@lru_cache(maxsize=256)
def _top_edge(template: MaskTemplate) -> Plane:
    """(width,) float32: y of the upper edge in each column, smoothed and extended beside the mask."""
    opaque = template.bgra[:, :, 3] >= 128
    columns = np.flatnonzero(opaque.any(axis=0))
    if len(columns) == 0:
        return np.zeros(template.bgra.shape[1], np.float32)
    edge = np.interp(np.arange(template.bgra.shape[1]), columns, opaque.argmax(axis=0)[columns])
    smooth = cv2.GaussianBlur(edge[None].astype(np.float32), (0, 0), 0.02 * template.bgra.shape[1])
    return np.asarray(smooth[0], np.float32)


@lru_cache(maxsize=64)
def _above_lower_edge(template: MaskTemplate) -> Image:
    """(height, width) uint8: the alpha, filled upwards: only its lower edge remains.

    The edge is blurred by a few pixels: a hard one would show as steps on small faces.
    """
    upwards = np.maximum.accumulate(template.bgra[::-1, :, 3], axis=0)[::-1]
    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(upwards), (0, 0), _HEM_SOFTNESS), np.uint8)


def apply_wear(
    template: MaskTemplate, plan: Plan, map_x: Plane, map_y: Plane
) -> tuple[Plane, Plane, Image | None]:
    """Change a map into template space by the wear of the plan.

    map_x, map_y: (height, width) float32, template x and y of each pixel. The result is the changed maps, and
    an upper bound of the layer's alpha of their shape, or None.
    """
    if plan.wear == "correct":
        return map_x, map_y, None
    goal, below = _DRAPES[plan.wear]
    middle, half, bridge, chin = _frame(template)
    edge = _top_edge(template)
    # A peak plan for the nose ridge lies flat below it: the edge of every column moves to one height.
    shift = bridge + goal * (chin - bridge) - edge.take(map_x.astype(np.int32), mode="clip")
    below *= chin - bridge
    # The corners at the ears hold the cloth, so the shift fades to nothing there.
    fade = 1 - np.minimum(np.abs(map_x - np.float32(middle)) / np.float32(half * 1.04), 1) ** 2
    lower = map_y - np.float32(below) * fade
    limit = cv2.remap(_above_lower_edge(template), map_x, lower, cv2.INTER_LINEAR, borderValue=[0])
    # Above the template the filled alpha continues without end.
    limit[map_y < below] = 255
    return map_x, (map_y - shift * fade).astype(np.float32), np.asarray(limit, np.uint8)


def apply_hang(template: MaskTemplate, plan: Plan, map_x: Plane, map_y: Plane) -> tuple[Plane, Plane]:
    """Change a map into template space by the hang of the plan; the default `Hang` changes nothing.

    map_x, map_y: (n, m) float32, template x and y of any places, such as the nodes of a lattice.
    """
    hang, seed = plan.hang, plan.seed
    if hang == Hang():
        return map_x, map_y
    middle, _, bridge, chin = _frame(template)
    length = chin - bridge
    phases = (seed % 628 / 100, (seed >> 10) % 628 / 100, (seed >> 20) % 628 / 100)
    # The mask turns and scales about the mouth, where it is held least.
    centre = middle, bridge + 0.6 * length
    turn = math.radians(hang.tilt)
    cosine, sine = math.cos(turn) / hang.size, math.sin(turn) / hang.size
    # Three long waves in the cloth, a third to two thirds of its length.
    waves = (2 * math.pi / length, hang.slack * length, *phases)
    return _move(map_x, map_y, centre, hang.lift * length, cosine, sine, waves)


@compiled
def _move(
    map_x: Plane,
    map_y: Plane,
    centre: tuple[float, float],
    lift: float,
    cosine: float,
    sine: float,
    waves: tuple[float, float, float, float, float],
) -> tuple[Plane, Plane]:
    """map_x, map_y: (n, m); waves: frequency, amplitude in template pixels and three phases."""
    (middle_x, middle_y), (wave, reach, phase_1, phase_2, phase_3) = centre, waves
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
