"""Thin-plate splines (Bookstein, "Principal Warps", 1989): the smoothest map from points to points."""

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled

Array = NDArray[np.float64]
Plane = NDArray[np.float32]

# An affine kernel added to the matrix changes no weight, because the affine part of a spline is free. With
# this factor, for lengths around 1, the matrix is positive definite and can be solved without pivoting.
_AFFINE = 4.0


@compiled
def _logarithm(value: np.float32) -> np.float32:
    """Natural logarithm of a normal float32, to 2e-6: a tenth of the C library's time."""
    bits = np.float32(value).view(np.int32)
    # Split into a power of two and a factor between sqrt(1/2) and sqrt(2).
    power = np.int32((bits - np.int32(0x3F3504F3)) >> np.int32(23))
    factor = np.int32(bits - np.int32(power << np.int32(23))).view(np.float32)
    t = (factor - np.float32(1)) / (factor + np.float32(1))
    s = t * t
    series = np.float32(2 / 5) + s * (np.float32(2 / 7) + s * np.float32(2 / 9))
    series = np.float32(2) + s * (np.float32(2 / 3) + s * series)
    return np.float32(power) * np.float32(0.6931472) + t * series


@compiled
def fit_spline(places: Array, values: Array, smoothing: Array) -> Array:
    """Fit a spline that maps places near values.

    Args:
        places: (n, 2) float64 control points, around 0 and of a size around 1.
        values: (n, 2) targets.
        smoothing: (n,) tolerance of each target; 0 maps exactly.

    Returns:
        (n + 3, 2) weights of each place, and of 1, x and y.
    """
    count = len(places)
    size = count + 3
    # The symmetric system of the places and of 1, x and y; only its upper triangle is used. The last two
    # columns hold the right-hand side.
    system = np.zeros((size, size + 2))
    across, down = places[:, 0].astype(np.float32), places[:, 1].astype(np.float32)
    for i in range(count):
        x, y, right, below = across[i], down[i], across[i:], down[i:]
        row = system[i, i:]
        for j in range(count - i):
            squared = (right[j] - x) ** 2 + (below[j] - y) ** 2 + np.float32(1e-12)
            bent = squared * _logarithm(squared) * np.float32(0.5)
            row[j] = bent + np.float32(_AFFINE) * (np.float32(1) + x * right[j] + y * below[j])
        system[i, i] += smoothing[i]
        system[i, count], system[i, count + 1], system[i, count + 2] = 1.0, places[i, 0], places[i, 1]
        system[i, size], system[i, size + 1] = values[i, 0], values[i, 1]
    rest = np.empty(size + 2)
    for i in range(size):
        left = size + 2 - i
        for j in range(left):
            rest[j] = system[i, i + j]
        for k in range(i):
            above, factor = system[k, i:], system[k, i] / system[k, k]
            for j in range(left):
                rest[j] -= factor * above[j]
        for j in range(left):
            system[i, i + j] = rest[j]
        # Degenerate places, such as those of a face that is one point, give a pivot of 0.
        system[i, i] = max(rest[0], 1e-9) if i < count else min(rest[0], -1e-9)
    weights = np.empty((size, 2))
    for i in range(size - 1, -1, -1):
        x, y = system[i, size], system[i, size + 1]
        for j in range(i + 1, size):
            x -= system[i, j] * weights[j, 0]
            y -= system[i, j] * weights[j, 1]
        weights[i, 0], weights[i, 1] = x / system[i, i], y / system[i, i]
    return weights


@compiled
def spline(centres: Array, weights: Array, places: Array) -> tuple[Plane, Plane]:
    """Map places by a spline.

    centres: (n, 2); weights: from `fit_spline`; places: (rows, columns, 2); result: x and y, (rows, columns).
    """
    rows, columns, count = places.shape[0], places.shape[1], len(centres)
    at_x, at_y = np.empty(rows * columns, np.float32), np.empty(rows * columns, np.float32)
    map_x, map_y = np.empty((rows, columns), np.float32), np.empty((rows, columns), np.float32)
    flat_x, flat_y = map_x.reshape(-1), map_y.reshape(-1)
    for i in range(rows):
        for j in range(columns):
            x, y = places[i, j, 0], places[i, j, 1]
            at_x[i * columns + j], at_y[i * columns + j] = x, y
            map_x[i, j] = weights[count, 0] + weights[count + 1, 0] * x + weights[count + 2, 0] * y
            map_y[i, j] = weights[count, 1] + weights[count + 1, 1] * x + weights[count + 2, 1] * y
    for k in range(count):
        x, y = np.float32(centres[k, 0]), np.float32(centres[k, 1])
        weight_x, weight_y = np.float32(0.5 * weights[k, 0]), np.float32(0.5 * weights[k, 1])
        for i in range(rows * columns):
            across, down = at_x[i] - x, at_y[i] - y
            squared = across * across + down * down + np.float32(1e-12)
            bent = squared * _logarithm(squared)
            flat_x[i] += weight_x * bent
            flat_y[i] += weight_y * bent
    return map_x, map_y
