"""Wear and hang: how a mask has been pulled down, and how it sits, as changes of the map into template space.

The cloth is moved, not squashed: its middle slides down the face while its corners stay at the ears, and
what would hang below the chin is tucked under it. Both fits use this, as it only knows template space.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

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
    # A peak drawn for the nose ridge lies flat below it, so every column's edge comes to the same height.
    edge = _top_edge(template)
    top = np.interp(map_x.ravel(), np.arange(len(edge)), edge).reshape(map_x.shape)
    shift = bridge + goal.top * length - top
    # The corners at the ears hold the cloth: the shift fades to nothing there.
    sideways = np.clip(np.abs(map_x - np.float32(middle)) / np.float32(half * 1.04), 0, 1)
    fade = 1 - sideways**2
    limit = cv2.remap(
        _above_lower_edge(template),
        map_x,
        (map_y - np.float32(goal.below * length) * fade).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=[0],
    )
    # Above the picture the filled alpha goes on upwards without end.
    limit[map_y < goal.below * length] = 255
    return map_x, np.asarray(map_y - shift * fade, np.float32), np.asarray(limit, np.uint8)


def hung(template: MaskTemplate, drawn: Plan, map_x: Plane, map_y: Plane) -> tuple[Plane, Plane]:
    """The map of a mask that sits a little otherwise; hung as it fits, it stays as it is.

    Args:
        template: The template that the map leads into.
        drawn: Its hang and seed are used.
        map_x: float32 template x of any places, such as the nodes of a lattice.
        map_y: Likewise y.
    """
    hang, seed = drawn.hang, drawn.seed
    if hang == Hang():
        return map_x, map_y
    middle, _, bridge, chin = _frame(template)
    length = chin - bridge
    # Turned and sized about the mouth, where a mask is held least.
    x0, y0 = middle, bridge + 0.6 * length
    x, y = map_x - np.float32(x0), map_y - np.float32(y0 - hang.lift * length)
    angle = np.radians(hang.tilt)
    cosine, sine = np.float32(np.cos(angle) / hang.size), np.float32(np.sin(angle) / hang.size)
    turned_x, turned_y = x * cosine + y * sine, y * cosine - x * sine
    if hang.slack:
        # Three long waves in the cloth, a third to two thirds of its length.
        phases = [(seed >> shift) % 628 / 100 for shift in (0, 10, 20)]
        wave = np.float32(2 * np.pi / length)
        reach = np.float32(hang.slack * length)
        turned_y = turned_y + reach * (
            np.sin(1.6 * wave * turned_x + np.float32(phases[0]))
            + 0.6 * np.sin(2.6 * wave * turned_x + np.float32(phases[1]))
        )
        turned_x = turned_x + reach * np.sin(1.8 * wave * turned_y + np.float32(phases[2]))
    return np.asarray(turned_x + np.float32(x0), np.float32), np.asarray(
        turned_y + np.float32(y0), np.float32
    )
