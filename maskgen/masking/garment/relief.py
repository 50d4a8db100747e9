"""The relief of a garment: pleats, folds and crumples as one height for each place."""

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

    @cached_property
    def ways(self) -> Array:
        """(n, 2) unit vectors of the folds' directions."""
        return np.stack([np.cos(self.folds[:, 2]), np.sin(self.folds[:, 2])], axis=1)


@compiled
def step_height(steps: Array, share: float, finest: float, y: float) -> float:
    """Height of the steps at a place.

    share: 0 on the midline, 1 at the side; finest: least softness of a step, in eye distances.
    """
    total = 0.0
    for k in range(len(steps)):
        soft = max(steps[k, 4], finest)
        below = y - steps[k, 0] - share * (steps[k, 1] - steps[k, 0])
        if below < -soft or below > steps[k, 5]:
            continue
        depth = steps[k, 2] + share * (steps[k, 3] - steps[k, 2])
        t = min((below + soft) / (soft + soft), 1.0)
        left = 1 - max(below / steps[k, 5], 0.0)
        total -= depth * t * t * (3 - t - t) * left * left
    return total


@compiled
def fold_height(folds: Array, ways: Array, x: float, y: float) -> float:
    """Height of the folds at a place. A fold widens away from where it starts and fades at both ends."""
    total = 0.0
    for k in range(len(folds)):
        right, under = x - folds[k, 0], y - folds[k, 1]
        reach = (right * ways[k, 0] + under * ways[k, 1]) / folds[k, 4]
        if reach <= 0 or reach >= 1:
            continue
        off = (under * ways[k, 0] - right * ways[k, 1]) / (folds[k, 3] * (0.35 + reach))
        bell = 1 - off * off * 0.2
        if bell > 0:
            total += folds[k, 5] * 4 * reach * (1 - reach) * bell**4
    return total


def crumples(relief: Relief, x: Floats, y: Floats) -> Floats:
    """(height, width) float32 heights of the crumples; x, y: coordinates of each pixel in the garment."""
    left, top, turn, along, across = relief.crumple_map
    scale = _TILE / _TILE_LENGTH
    cosine, sine = np.cos(turn), np.sin(turn)
    tile_x = x * np.float32(cosine * scale * along) + y * np.float32(sine * scale * along)
    tile_y = y * np.float32(cosine * scale * across) - x * np.float32(sine * scale * across)
    tile_x += np.float32(left * _TILE)
    tile_y += np.float32(top * _TILE)
    sampled = cv2.remap(_crumple_tile(), tile_x, tile_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(sampled, np.float32)


@cache
def _crumple_tile() -> Floats:
    """(256, 256) float32 seamless crumples with unit deviation: soft dents between rather sharp ridges."""
    generator = np.random.Generator(np.random.PCG64(7))
    total = np.zeros((_TILE, _TILE), np.float64)
    for sigma, weight, ridged in ((22, 1.0, False), (12, 0.75, True), (6.5, 0.30, True), (3.2, 0.10, True)):
        noise = generator.standard_normal((_TILE, _TILE))
        wide = np.pad(noise, _TILE // 2, mode="wrap")
        smooth = np.asarray(cv2.GaussianBlur(wide, (0, 0), sigma), np.float64)
        smooth = smooth[_TILE // 2 : -_TILE // 2, _TILE // 2 : -_TILE // 2]
        smooth = smooth / smooth.std()
        total += weight * (1.2 - 1.6 * np.sqrt(smooth**2 + 0.02) if ridged else smooth)
    total -= total.mean()
    # Rounded, so that the last bits of a processor's blur do not matter.
    return np.asarray((total / total.std()).round(3), np.float32)
