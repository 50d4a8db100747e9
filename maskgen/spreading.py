"""The light on a face's skin, spread over whatever is not skin: compiled loops.

Hair, background, lips, eyes and beard say nothing of the light that falls on the face, so only skin is asked,
and its answer is spread into the rest by normalised convolution (Knutsson and Westin, 1993).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled

Floats = NDArray[np.float32]

_ENOUGH = np.float32(0.08)  # weight of near skin with which it decides
_THIRD = np.float32(1 / 3)


@compiled
def spread(weighted: Floats, usual: Floats, sides: tuple[int, int], of_level: bool) -> Floats:
    """Normalised convolution, coarse to fine: where no skin is near, a wider look decides.

    Args:
        weighted: (height, width, 4) float32, as `maskgen.lit_skin.ask_skin` returns it.
        usual: (3,) float32: the skin's mean, which decides where there is none at all.
        sides: Of the wider and the narrower box filter, both odd; each is run twice.
        of_level: Whether the mean of the three channels is wanted, and not each of them.

    Returns:
        (height, width) float32, or (height, 3 * width) of the three, pixel by pixel.
    """
    height, width = weighted.shape[:2]
    channels = 1 if of_level else 3
    values = np.empty((height, width * (channels + 1)), np.float32)
    result = np.empty((height, width * channels), np.float32)
    for y in range(height):
        for x in range(width):
            b, g, r, weight = weighted[y, x, 0], weighted[y, x, 1], weighted[y, x, 2], weighted[y, x, 3]
            if of_level:
                values[y, 2 * x], values[y, 2 * x + 1] = (b + g + r) * _THIRD, weight
                result[y, x] = (usual[0] + usual[1] + usual[2]) * _THIRD
            else:
                at = 4 * x
                values[y, at], values[y, at + 1], values[y, at + 2], values[y, at + 3] = b, g, r, weight
                at = 3 * x
                result[y, at], result[y, at + 1], result[y, at + 2] = usual[0], usual[1], usual[2]
    once, near = np.empty(values.shape, np.float32), np.empty(values.shape, np.float32)
    for side in sides:
        _box_down(values, once, side // 2)
        _box_down(once, near, side // 2)
        scale = np.float32(1.0 / (float(side) * side * side * side))
        for y in range(height):
            if of_level:
                _box_across_two(near[y], once[y], side // 2)
                _box_across_two(once[y], near[y], side // 2)
                for x in range(width):
                    value = near[y, 2 * x] * scale + result[y, x] * _ENOUGH
                    result[y, x] = value / (near[y, 2 * x + 1] * scale + _ENOUGH)
            else:
                _box_across_four(near[y], once[y], side // 2)
                _box_across_four(once[y], near[y], side // 2)
                for x in range(width):
                    share = np.float32(1) / (near[y, 4 * x + 3] * scale + _ENOUGH)
                    for channel in range(3):
                        value = near[y, 4 * x + channel] * scale + result[y, 3 * x + channel] * _ENOUGH
                        result[y, 3 * x + channel] = value * share
    return result


@compiled
def _box_down(values: Floats, sums: Floats, reach: int) -> None:
    """Sums over ``2 * reach + 1`` rows, nothing beyond the first and the last; both (height, any) float32."""
    height, length = values.shape
    first = sums[0]
    first[:] = 0
    for y in range(min(reach + 1, height)):
        row = values[y]
        for x in range(length):
            first[x] += row[x]
    for y in range(1, height):
        above, here = sums[y - 1], sums[y]
        enters, leaves = y + reach < height, y - reach - 1 >= 0
        if enters and leaves:
            new, old = values[y + reach], values[y - reach - 1]
            for x in range(length):
                here[x] = above[x] + (new[x] - old[x])
        elif enters:
            new = values[y + reach]
            for x in range(length):
                here[x] = above[x] + new[x]
        elif leaves:
            old = values[y - reach - 1]
            for x in range(length):
                here[x] = above[x] - old[x]
        else:
            here[:] = above


@compiled
def _box_across_two(row: Floats, sums: Floats, reach: int) -> None:
    """Likewise over the pixels of one row, of two neighbouring numbers each."""
    width = len(row) // 2
    first = second = np.float32(0)
    for x in range(-reach, width):
        if x + reach < width:
            first += row[2 * (x + reach)]
            second += row[2 * (x + reach) + 1]
        if x > reach:
            first -= row[2 * (x - reach - 1)]
            second -= row[2 * (x - reach - 1) + 1]
        if x >= 0:
            sums[2 * x], sums[2 * x + 1] = first, second


@compiled
def _box_across_four(row: Floats, sums: Floats, reach: int) -> None:
    """Likewise of four."""
    width = len(row) // 4
    a = b = c = d = np.float32(0)
    for x in range(-reach, width):
        if x + reach < width:
            at = 4 * (x + reach)
            a, b, c, d = a + row[at], b + row[at + 1], c + row[at + 2], d + row[at + 3]
        if x > reach:
            at = 4 * (x - reach - 1)
            a, b, c, d = a - row[at], b - row[at + 1], c - row[at + 2], d - row[at + 3]
        if x >= 0:
            at = 4 * x
            sums[at], sums[at + 1], sums[at + 2], sums[at + 3] = a, b, c, d
