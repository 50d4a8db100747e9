"""The relief of a garment: pleats, folds and crumples as one height for each place."""

import math
from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

_TILE = 256  # side of the crumple tile in pixels
_TILE_LENGTH = 1.6  # and in eye distances
# How far below a step's edge its darkness is greatest, in eye distances; its strength, and its limit.
_INSIDE, _OCCLUDED, _DARKEST = 0.008, 0.2, 0.4


@dataclass(frozen=True, eq=False)
class Relief:
    """What stands out of a garment's surface; lengths in eye distances.

    Attributes:
        steps: (n, 7) edges of cloth across the garment: height at the midline and at the side, depth at the
            midline and at the side, softness, length of the recovery below it, and slope down to the right.
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

    @cached_property
    def ways(self) -> Array:
        """(n, 4): the folds' directions as unit vectors, and 1 over their lengths and widths."""
        directions, widths, lengths = self.folds[:, 2], self.folds[:, 3], self.folds[:, 4]
        return np.stack([np.cos(directions), np.sin(directions), 1 / lengths, 1 / widths], axis=1)


@compiled
def step_relief(steps: Array, share: float, finest: float, x: float, y: float) -> tuple[float, float]:
    """Height of the steps at a place, and how dark it is there under their edges, from 0 to 1.

    share: 0 on the midline, 1 at the side; finest: least softness of a step, in eye distances.
    """
    total, dark = 0.0, 0.0
    for k in range(len(steps)):
        soft = max(steps[k, 4], finest)
        below = y - steps[k, 0] - share * (steps[k, 1] - steps[k, 0]) - steps[k, 6] * x
        if below < -soft or below > steps[k, 5]:
            continue
        depth = steps[k, 2] + share * (steps[k, 3] - steps[k, 2])
        t = min((below + soft) / (soft + soft), 1.0)
        left = 1 - max(below / steps[k, 5], 0.0)
        total -= depth * t * t * (3 - t - t) * left * left
        # The cloth above keeps light from the fold's inside.
        near = max(1 - abs(below - _INSIDE) / (_INSIDE + soft), 0.0)
        dark += min(_OCCLUDED * abs(depth) / (_INSIDE + soft), _DARKEST) * near
    return total, min(dark, _DARKEST)


@compiled
def fold_height(folds: Array, ways: Array, x: float, y: float) -> float:
    """Height of the folds at a place. A fold widens away from where it starts and fades at both ends."""
    total = 0.0
    for k in range(len(folds)):
        right, under = x - folds[k, 0], y - folds[k, 1]
        reach = (right * ways[k, 0] + under * ways[k, 1]) * ways[k, 2]
        if reach <= 0 or reach >= 1:
            continue
        off = (under * ways[k, 0] - right * ways[k, 1]) * ways[k, 3] / (0.35 + reach)
        bell = 1 - off * off * 0.2
        if bell > 0:
            bell *= bell
            total += folds[k, 5] * 4 * reach * (1 - reach) * bell * bell
    return total


def crumple_axes(relief: Relief) -> Array:
    """(2, 3) matrix from places in the garment to pixels of `crumple_tile`."""
    left, top, turn, along, across = relief.crumple_map
    scale, cosine, sine = _TILE / _TILE_LENGTH, math.cos(turn), math.sin(turn)
    return np.array(
        [
            (scale * along * cosine, scale * along * sine, left * _TILE),
            (-scale * across * sine, scale * across * cosine, top * _TILE),
        ]
    )


@cache
def crumple_tile() -> Floats:
    """(256, 256) float32 seamless crumples with unit deviation: soft dents between rather sharp ridges."""
    generator = np.random.Generator(np.random.PCG64(7))
    total = np.zeros((_TILE, _TILE), np.float64)
    for sigma, weight, ridged in ((22, 1.0, False), (12, 0.75, True), (7.0, 0.24, True), (3.5, 0.05, True)):
        noise = generator.standard_normal((_TILE, _TILE))
        wide = np.pad(noise, _TILE // 2, mode="wrap")
        smooth = np.asarray(cv2.GaussianBlur(wide, (0, 0), sigma), np.float64)
        smooth = smooth[_TILE // 2 : -_TILE // 2, _TILE // 2 : -_TILE // 2]
        smooth = smooth / smooth.std()
        total += weight * (1.2 - 1.6 * np.sqrt(smooth**2 + 0.02) if ridged else smooth)
    total -= total.mean()
    # Rounded, so that the last bits of a processor's blur do not matter.
    return np.asarray((total / total.std()).round(3), np.float32)
