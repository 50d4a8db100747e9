"""Loops and straps: curves over the head from a garment's corners, drawn under the garment."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.masking.garment.garment import Garment, Loop
from maskgen.masking.garment.hang import Placement
from maskgen.masking.garment.surface import Surface, grid_position

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

_SAMPLES = 14  # points of a curve
_SHARES = np.linspace(0, 1, _SAMPLES)
_SAG = 4 * _SHARES * (1 - _SHARES)
_TAUT = 0.5  # 0 for a loop that follows the head, 1 for a straight one
# Depth of the normal of the head at which a loop passes out of view behind it.
_HORIZON = -0.04
_VANISHING = 1.3  # samples over which the end vanishes, behind the ear or under hair
_SHADED = 0.2  # how much darker a loop is at the ear, in the shade of ear and hair
_THINNEST = 0.45  # least half width in pixels


def loop_paths(garment: Garment, placement: Placement, surface: Surface) -> list[tuple[Loop, Array]]:
    """The visible part of each loop as (n, 2) points in pixels of the image, from the garment outwards."""
    if not garment.loops:
        return []
    both = [(loop, side) for loop in garment.loops for side in (-1, 1)]
    starts = [placement.to_head(side * loop.start[0], loop.start[1]) for loop, side in both]
    rows = [(*at, side * c.end[0], c.end[1], c.sag) for at, (c, side) in zip(starts, both, strict=True)]
    ends = np.array(rows)[:, :, None]
    u = ends[:, 0] + _SHARES * (ends[:, 2] - ends[:, 0])
    v = ends[:, 1] + _SHARES * (ends[:, 3] - ends[:, 1]) + ends[:, 4] * _SAG
    points, normals = grid_position(surface, u, v)
    # Elastic takes the short way, which is straighter than a line on the unrolled head.
    points = points[:, :, :2]
    points += _TAUT * (points[:, :1] + _SHARES[:, None] * (points[:, -1:] - points[:, :1]) - points)
    shown = np.logical_and.accumulate(normals[:, :, 2] <= _HORIZON, axis=1).sum(axis=1).tolist()
    return [
        (loop, path[:count]) for (loop, _), path, count in zip(both, points, shown, strict=True) if count > 1
    ]


def half_width(loop: Loop, unit: float) -> float:
    """Half of a loop's width in pixels; unit: an eye distance in pixels."""
    return max(loop.width * unit / 2, _THINNEST)


def draw_loops(
    paths: Sequence[tuple[Loop, Array]], window: tuple[int, int, int, int], unit: float
) -> tuple[Floats, Floats]:
    """Draw loops into a window of the image.

    Returns:
        (height, width, 3) float32 colour and (height, width) float32 alpha in [0, 1].
    """
    left, top, width, height = window
    color, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    nearest = np.empty((height, width), np.float32)
    for loop, path in paths:
        radius = half_width(loop, unit)
        nearest.fill(radius + 1)
        _stroke(path - (left, top), radius, np.array(loop.color, np.float32), nearest, color, alpha)
    return color, alpha


@compiled
def _stroke(path: Array, radius: float, paint: Floats, nearest: Floats, color: Floats, alpha: Floats) -> None:
    """Draw a round cord along (n, 2) points, lighter in its middle and at its start.

    nearest: ``radius + 1`` at first.
    """
    height, width = alpha.shape
    for k in range(len(path) - 1):
        ax, ay, bx, by = path[k, 0], path[k, 1], path[k + 1, 0], path[k + 1, 1]
        squared = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-9)
        reach = radius + 1
        for y in range(max(int(min(ay, by) - reach), 0), min(int(max(ay, by) + reach) + 2, height)):
            for x in range(max(int(min(ax, bx) - reach), 0), min(int(max(ax, bx) + reach) + 2, width)):
                along = min(max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared, 0.0), 1.0)
                across = x - ax - along * (bx - ax), y - ay - along * (by - ay)
                distance = np.sqrt(across[0] ** 2 + across[1] ** 2)
                if distance >= nearest[y, x]:
                    continue
                nearest[y, x] = distance
                shown = min(max((len(path) - 1 - k - along) / _VANISHING, 0.0), 1.0)
                alpha[y, x] = max(alpha[y, x], shown * min(max(radius - distance + 0.5, 0.0), 1.0))
                gain = 1 - 0.22 * min(distance / radius, 1.0) ** 2 - _SHADED * (k + along) / len(path)
                for channel in range(3):
                    color[y, x, channel] = paint[channel] * gain
