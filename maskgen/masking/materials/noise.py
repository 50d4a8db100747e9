"""Seamless smooth noise: the random field of blotches, fibres and mottling."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.masking.hash_random import draw_array

Plane = NDArray[np.float32]


def as_plane(values: NDArray[Any]) -> Plane:
    """The values in single precision."""
    return values.astype(np.float32, copy=False)


@lru_cache(maxsize=128)
def _spline_weights(length: int, knots: int) -> Plane:
    """(length, knots): weights of a periodic cubic B-spline at ``length`` evenly spaced places."""
    places = (np.arange(length, dtype=np.float64) + 0.5) * knots / length
    distance = np.abs((places[:, None] - np.arange(knots) + knots / 2) % knots - knots / 2)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    weights = np.where(distance < 1, near, far)
    if knots < 4:  # The spline is wider than the period: its tails come in again.
        weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def smooth_noise(shape: tuple[int, int], knots: tuple[int, int], seed: int, *names: str | int) -> Plane:
    """(height, width) periodic noise of mean 0, its standard deviation near 1, with (rows, columns) knots."""
    field = draw_array(knots[0] * knots[1], seed, *names).reshape(knots)
    field -= field.mean()
    # A cubic B-spline of independent knots has 151 / 315 of their variance along each axis, on average.
    field /= max(float(field.std()), 1e-6) * np.float32(151 / 315)
    return as_plane(_spline_weights(shape[0], knots[0]) @ field @ _spline_weights(shape[1], knots[1]).T)


def fractal_noise(
    shape: tuple[int, int], knots: tuple[int, int], octaves: int, seed: int, *names: str | int
) -> Plane:
    """Smooth noise with finer detail at half its strength, again and again: blotches with ragged edges."""
    total = smooth_noise(shape, knots, seed, *names)
    for octave in range(1, octaves):
        rows, columns = (min(count << octave, side) for count, side in zip(knots, shape, strict=True))
        total += smooth_noise(shape, (rows, columns), seed, *names, octave) * np.float32(0.5**octave)
    return as_plane(total / np.float32(sum(0.25**octave for octave in range(octaves)) ** 0.5))
