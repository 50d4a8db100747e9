"""The relief of a garment: pleats, folds and crumples as one height for each pixel."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

_TILE = 256  # side of the crumple tile in pixels
_TILE_LENGTH = 1.6  # and in eye distances


@dataclass(frozen=True, eq=False)
class Relief:
    """What stands out of a garment's surface; lengths in eye distances.

    Attributes:
        steps: (n, 6) edges of cloth across the garment: height at the midline and at the side, depth at the
            midline and at the side, softness, and length of the recovery below it.
        folds: (n, 6) straight folds: x and y of the start, direction in radians (down from the right), width,
            length, height.
        half_width: Distance from the midline at which ``steps`` have their values at the side.
        crumple: Height of the random crumples.
        crumple_map: x, y and turn of the tile of crumples, and its scale along and across the turn.
    """

    steps: Array
    folds: Array
    half_width: float
    crumple: float
    crumple_map: tuple[float, float, float, float, float]


def height_map(relief: Relief, x: Floats, y: Floats, finest: float) -> Floats:
    """(height, width) float32 heights in eye distances.

    x, y: coordinates of each pixel in the garment; finest: least softness of an edge, in eye distances.
    """
    steps, folds = (rows.astype(np.float32) for rows in (relief.steps, relief.folds))
    heights = _steps_and_folds(steps, folds, relief.half_width, finest, x, y)
    if relief.crumple > 0:
        left, top, turn, along, across = relief.crumple_map
        cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        scale = np.float32(_TILE / _TILE_LENGTH)
        tile_x = (x * cosine + y * sine) * (scale * np.float32(along)) + np.float32(left * _TILE)
        tile_y = (y * cosine - x * sine) * (scale * np.float32(across)) + np.float32(top * _TILE)
        crumples = cv2.remap(_crumple_tile(), tile_x, tile_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        heights += crumples * np.float32(relief.crumple)
    return heights


@compiled
def _steps_and_folds(
    steps: Floats, folds: Floats, half_width: float, finest: float, x: Floats, y: Floats
) -> Floats:
    """steps, folds: as in `Relief`; x, y: (height, width); result: (height, width) heights."""
    height, width = x.shape
    heights = np.zeros((height, width), np.float32)
    zero, one = np.float32(0), np.float32(1)
    # The middle of each fold's ways, so that no pixel needs a sine.
    ways = np.empty((len(folds), 2), np.float32)
    for k in range(len(folds)):
        ways[k, 0], ways[k, 1] = np.cos(folds[k, 2]), np.sin(folds[k, 2])
    narrow = np.float32(1 / (half_width * half_width))
    for row in range(height):
        for column in range(width):
            across, down, total = x[row, column], y[row, column], zero
            share = min(across * across * narrow, one)
            for k in range(len(steps)):
                soft = max(steps[k, 4], np.float32(finest))
                below = down - steps[k, 0] - share * (steps[k, 1] - steps[k, 0])
                if below < -soft or below > steps[k, 5]:
                    continue
                depth = steps[k, 2] + share * (steps[k, 3] - steps[k, 2])
                t = min((below + soft) / (soft + soft), one)
                left = one - max(below / steps[k, 5], zero)
                total -= depth * t * t * (np.float32(3) - t - t) * left * left
            for k in range(len(folds)):
                right, under = across - folds[k, 0], down - folds[k, 1]
                reach = (right * ways[k, 0] + under * ways[k, 1]) / folds[k, 4]
                if reach <= zero or reach >= one:
                    continue
                # A fold widens away from where it starts, and fades at both ends.
                off = (under * ways[k, 0] - right * ways[k, 1]) / (folds[k, 3] * (np.float32(0.35) + reach))
                bell = one - off * off * np.float32(0.2)
                if bell > zero:
                    bell *= bell
                    total += folds[k, 5] * np.float32(4) * reach * (one - reach) * bell * bell
            heights[row, column] = total
    return heights


@cache
def _crumple_tile() -> Floats:
    """(256, 256) float32 seamless crumples with unit deviation: soft dents between rather sharp ridges."""
    generator = np.random.Generator(np.random.PCG64(7))
    total = np.zeros((_TILE, _TILE), np.float64)
    for sigma, weight, ridged in ((22, 1.0, False), (12, 0.75, True), (6.5, 0.30, True), (3.2, 0.10, True)):
        noise = generator.standard_normal((_TILE, _TILE))
        wide = np.pad(noise, 4 * 24, mode="wrap")
        smooth = cv2.GaussianBlur(wide, (0, 0), sigma)[96:-96, 96:-96]
        smooth /= smooth.std()
        total += weight * (1.2 - 1.6 * np.sqrt(smooth**2 + 0.02) if ridged else smooth)
    total -= total.mean()
    # Rounded, so that the last bits of a processor's blur do not matter.
    return np.round(total / total.std(), 3).astype(np.float32)
