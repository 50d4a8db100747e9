"""The small pictures that are cloned, and what is made of the clone, in a few compiled loops.

Light is held as natural logarithms in the reduced picture; `seamlessClone` wants bytes, so that they are
scaled to 0..255 on the way there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled
from maskgen.records import Image

Floats = NDArray[np.float32]

_LEVELS = 255.0 / math.log(256.0)  # grey levels of the 8-bit logarithm for one natural logarithm
_SEEN = 24  # mean alpha above which a reduced pixel counts as covered
_SMOOTHING, _REACH = 1.2, 4  # pixels: deviation of the Gaussian, and how far it is followed


@compiled
def patch_of(
    light: Floats, alpha: Image, across: int, down: int, step: int, reach: int, border: int, covered: float
) -> tuple[Image, Image, Image, Floats, int, int]:
    """Source, destination and region of a cloning around a layer.

    Args:
        light: (h, w, 3) float32 logarithms of the light in the reduced picture; beyond it as at its border.
        alpha: (height, width) uint8 of the layer.
        across: From that picture's first column to the layer's, in the image's pixels.
        down: From its first row to the layer's.
        step: The image's pixels for one of the reduced picture's.
        reach: How far the region goes past what the layer covers, in reduced pixels.
        border: How far the patch goes past the region, at least.
        covered: How much of the light's variation inside the region the source has.

    Returns:
        Source, destination (h, w, 3) and region (h, w), uint8; (3,) float32, the mean colour along the
        region's outside; and the patch's first column and row in the reduced picture. The patch is empty
        where nothing is covered.
    """
    left, top = across // step, down // step
    seen, bounds = _covered(alpha, across - left * step, down - top * step, step)
    x0, y0, x1, y1 = bounds[0], bounds[1], bounds[2], bounds[3]
    if x1 < x0:
        nothing = np.zeros((0, 0, 3), np.uint8)
        return nothing, nothing, np.zeros((0, 0), np.uint8), np.zeros(3, np.float32), 0, 0
    # Where the first covered pixel lies in the patch.
    inset = reach + border
    wide, high = x1 - x0 + 1 + 2 * inset, y1 - y0 + 1 + 2 * inset
    region = np.zeros((high, wide), np.uint8)
    for y in range(y0, y1 + 1):
        for x in range(x0, x1 + 1):
            if seen[y, x]:
                at_x, at_y = x - x0 + inset, y - y0 + inset
                region[at_y - reach : at_y + reach + 1, at_x - reach : at_x + reach + 1] = 255
    first_x, first_y = left + x0 - inset, top + y0 - inset
    target = np.empty((high, wide, 3), np.float32)
    for y in range(high):
        line = light[min(max(first_y + y, 0), light.shape[0] - 1)]
        for x in range(wide):
            near = line[min(max(first_x + x, 0), light.shape[1] - 1)]
            for c in range(3):
                target[y, x, c] = near[c] * np.float32(_LEVELS)
    mean = _mean_beside(target, region)
    source, destination = np.empty((high, wide, 3), np.uint8), np.empty((high, wide, 3), np.uint8)
    for y in range(high):
        for x in range(wide):
            for c in range(3):
                value = target[y, x, c]
                drawn = mean[c] + np.float32(covered) * (value - mean[c])
                source[y, x, c] = np.uint8(min(max(drawn + np.float32(0.5), 0), 255))
                destination[y, x, c] = np.uint8(min(max(value + np.float32(0.5), 0), 255))
    return source, destination, region, mean, first_x, first_y


@compiled
def _covered(alpha: Image, across: int, down: int, step: int) -> tuple[Image, NDArray[np.int64]]:
    """Which reduced pixels a layer covers, 1 or 0, and the first and last column and row of those.

    Args:
        alpha: (height, width) uint8 of the layer.
        across: From the first reduced pixel's left to the layer's, in the image's pixels, less than ``step``.
        down: Likewise from its top.
        step: The image's pixels for a reduced one.
    """
    height, width = alpha.shape
    rows, columns = (down + height - 1) // step + 1, (across + width - 1) // step + 1
    into = np.empty(width, np.int64)
    for x in range(width):
        into[x] = (across + x) // step
    sums, counts = np.zeros((rows, columns), np.int64), np.zeros((rows, columns), np.int64)
    for y in range(height):
        line, sum_line, count_line = alpha[y], sums[(down + y) // step], counts[(down + y) // step]
        for x in range(width):
            sum_line[into[x]] += line[x]
            count_line[into[x]] += 1
    seen, bounds = np.zeros((rows, columns), np.uint8), np.array([columns, rows, -1, -1])
    for y in range(rows):
        for x in range(columns):
            if sums[y, x] > _SEEN * counts[y, x]:
                seen[y, x] = 1
                bounds[0], bounds[1] = min(bounds[0], x), min(bounds[1], y)
                bounds[2], bounds[3] = max(bounds[2], x), max(bounds[3], y)
    return seen, bounds


@compiled
def _mean_beside(target: Floats, region: Image) -> Floats:
    """(3,) float32: the mean of what lies beside a region, in whole grey levels."""
    high, wide = region.shape
    total, count = np.zeros(3), 0
    for y in range(high):
        for x in range(wide):
            if region[y, x] == 0 and _beside(region, x, y):
                count += 1
                for c in range(3):
                    total[c] += target[y, x, c]
    mean = np.empty(3, np.float32)
    for c in range(3):
        mean[c] = np.round(total[c] / max(count, 1))
    return mean


@compiled
def _beside(region: Image, x: int, y: int) -> bool:
    """Whether one of a pixel's eight neighbours is in the region."""
    high, wide = region.shape
    for row in range(max(y - 1, 0), min(y + 2, high)):
        for column in range(max(x - 1, 0), min(x + 2, wide)):
            if region[row, column]:
                return True
    return False


@compiled
def gain_of(cloned: Image, mean: Floats) -> Floats:
    """(h, w, 3) float32 gains that a clone means: its difference from the mean, smoothed.

    Eight bits of logarithm are steps of 2 %; smoothing takes them away, as the membrane has no edges.
    """
    high, wide = cloned.shape[:2]
    kernel, total = np.empty(2 * _REACH + 1, np.float32), 0.0
    for k in range(2 * _REACH + 1):
        total += math.exp(-0.5 * ((k - _REACH) / _SMOOTHING) ** 2)
    for k in range(2 * _REACH + 1):
        kernel[k] = math.exp(-0.5 * ((k - _REACH) / _SMOOTHING) ** 2) / total
    gains, between = np.empty((high, wide, 3), np.float32), np.empty((wide, 3), np.float32)
    for y in range(high):
        between[:] = 0
        for k in range(2 * _REACH + 1):
            row, factor = cloned[min(max(y + k - _REACH, 0), high - 1)], kernel[k]
            for x in range(wide):
                for c in range(3):
                    between[x, c] += factor * np.float32(row[x, c])
        for x in range(wide):
            for c in range(3):
                value = np.float32(0)
                for k in range(2 * _REACH + 1):
                    value += kernel[k] * between[min(max(x + k - _REACH, 0), wide - 1), c]
                gains[y, x, c] = math.exp((value - mean[c]) / np.float32(_LEVELS))
    return gains


@compiled
def enlarged(values: Floats, across: int, down: int, step: int, height: int, width: int) -> Floats:
    """(height, width, 3) float32: a reduced picture's values, interpolated over a window of the image.

    Args:
        values: (h, w, 3) float32; beyond them they go on as at their border.
        across: From the reduced picture's first column to the window's, in the image's pixels.
        down: From its first row to the window's.
        step: The image's pixels for one of the reduced picture's.
        height: Of the window.
        width: Likewise.
    """
    rows, columns = values.shape[:2]
    first, share = np.empty(width, np.int64), np.empty(width, np.float32)
    for x in range(width):
        place = min(max((x + across + 0.5) / step - 0.5, 0.0), columns - 1.0)
        first[x] = int(place)
        share[x] = place - first[x]
    result, between = np.empty((height, width, 3), np.float32), np.zeros((columns + 1, 3), np.float32)
    for y in range(height):
        place = min(max((y + down + 0.5) / step - 0.5, 0.0), rows - 1.0)
        upper, lower = values[int(place)], values[min(int(place) + 1, rows - 1)]
        part, into = np.float32(place - int(place)), result[y]
        for x in range(columns):
            for c in range(3):
                between[x, c] = upper[x, c] + part * (lower[x, c] - upper[x, c])
        for x in range(width):
            at = first[x]
            for c in range(3):
                into[x, c] = between[at, c] + share[x] * (between[at + 1, c] - between[at, c])
    return result


@compiled
def lit(bgr: Image, gain: Floats) -> Image:
    """(height, width, 3) uint8 colours under (height, width, 3) float32 gains.

    A grey level is added before and taken off after, as `maskgen.light.Light` counts logarithms of 1 more.
    """
    result, one = np.empty(bgr.shape, np.uint8), np.float32(1)
    for y in range(bgr.shape[0]):
        drawn, gains, into = bgr[y], gain[y], result[y]
        for x in range(bgr.shape[1]):
            for c in range(3):
                value = (np.float32(drawn[x, c]) + one) * gains[x, c] - np.float32(0.5)
                into[x, c] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
    return result
