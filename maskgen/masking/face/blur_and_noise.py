"""How noisy an image is and how soft its edges are.

Images are whole numbers here, and blurred as 16-bit integers: the results are the same on every processor.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Floats = NDArray[np.float32]

# Blur as wide as this is all that is told apart; beyond it everything is soft.
WIDEST = 6.0
# An edge sampled by a camera is never sharper than this, in pixels.
SHARPEST = 0.45
_CROWDING = 0.08
# From the mean absolute answer of the kernel, whose norm is 6, to the deviation of normal noise; a calm
# block's mean is a little below that of all.
_TO_DEVIATION, _CALM = math.sqrt(math.pi / 2) / 6.0 * 1.03, 0.35
_BLOCK = 8
# Grain above this is blurred before edges are sought, by this much.
_GRAINY, _SMOOTHING = 2.0, 0.7
_ORDINARY, _STEEPEST = 0.96, 0.997
_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


def noise_level(plane: Floats) -> float:
    """Standard deviation of the noise in the calmer part of a (height, width) float32 plane, 0 below 3 x 3.

    The second difference in both directions leaves noise and takes away slopes and straight edges (Immerkaer,
    "Fast noise variance estimation", 1996); the calmer blocks are those without texture.
    """
    height, width = plane.shape
    if height < 3 or width < 3:
        return 0.0
    down = plane[:-2] - 2 * plane[1:-1] + plane[2:]
    answer = np.abs(down[:, :-2] - 2 * down[:, 1:-1] + down[:, 2:])
    rows, columns = (height - 2) // _BLOCK, (width - 2) // _BLOCK
    if rows * columns < 4:
        return float(answer.mean(dtype=np.float64)) * _TO_DEVIATION
    blocks = answer[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    means = blocks.mean(axis=(1, 3), dtype=np.float64).ravel()
    return float(_quantile(means, _CALM)) * _TO_DEVIATION


def edge_blur(grey: Floats, grain: float, again: float = 1.0) -> float:
    """Blur of the sharpest edges of an image, in pixels, from `SHARPEST` to `WIDEST`.

    An edge blurred by s and again by r has a gradient smaller by sqrt(s^2 / (s^2 + r^2)) (Zhuo and Sim,
    "Defocus map estimation from a single image", 2011). Strong edges are asked, and the sharper ones among
    them believed.

    Args:
        grey: (height, width) float32, from 0 to 255.
        grain: Its noise, in grey levels.
        again: r, in pixels.
    """
    if min(grey.shape) < 3:
        return WIDEST
    plane = np.asarray(np.rint(np.clip(grey, 0, 255) * 256), np.uint16)
    grainy = grain > _GRAINY
    if grainy:
        plane = _blurred(plane, _SMOOTHING)
    slopes, blurred = _slopes(plane), _slopes(_blurred(plane, again))
    judged = slopes[::2].ravel()
    # Beside a steep edge, a slope of a few grey levels is mostly their rounding.
    least = max(_quantile(judged, _ORDINARY), 0.4 * _quantile(judged, _STEEPEST), 3.0 * grain, 1.0)
    # Only the crest of an edge counts: beside it the blurred edge is the steeper one.
    beside = cv2.dilate(slopes, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT, borderValue=[0])
    crests = (slopes >= least) & (beside <= slopes + np.float32(1e-3))
    if not crests.any():
        return WIDEST
    ratios = np.maximum(slopes[crests] / np.maximum(blurred[crests], np.float32(1e-3)), np.float32(1.0001))
    estimate = float(_quantile(again / np.sqrt(ratios * ratios - 1), 0.5))
    # Blurred edges run into one another and read too narrow. Measured on 50 faces blurred by known widths.
    estimate *= 1 + _CROWDING * max(0.0, estimate - 1.5)
    smoothing = _SMOOTHING**2 if grainy else 0.0
    return min(max(math.sqrt(max(estimate**2 - smoothing, 0.0)), SHARPEST), WIDEST)


def _blurred(plane: NDArray[np.uint16], sigma: float) -> NDArray[np.uint16]:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.uint16)


def _slopes(plane: NDArray[np.uint16]) -> Floats:
    """(height - 2, width - 2) float32: steepness of each inner pixel, in grey levels a pixel."""
    values = plane.astype(np.float32) / np.float32(512)
    across, down = values[1:-1, 2:] - values[1:-1, :-2], values[2:, 1:-1] - values[:-2, 1:-1]
    return np.sqrt(across * across + down * down)


def _quantile(values: NDArray[Any], share: float) -> float:
    """The value at a share of the sorted ones, without interpolation."""
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])


def measure_blur_and_noise(
    image: Image,
    near: tuple[int, int, int, int],
    far: tuple[int, int, int, int],
    soft: float,
    patience: float,
) -> tuple[float, float, float]:
    """Blur, grain and colour grain of a part of an image; of a larger part the blur where that is soft.

    Args:
        image: (height, width, 3) uint8 BGR.
        near: (left, top, right, bottom) of the part.
        far: (left, top, right, bottom) of the larger part.
        soft: Blur from which on the larger part is asked, in pixels.
        patience: By how much its edges are blurred once more, in pixels.
    """
    part = _cut(image, near)
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    # Rounding to whole grey levels is no grain.
    grain = math.sqrt(max(noise_level(grey) ** 2 - 1 / 12, 0.0))
    blur = edge_blur(grey, grain)
    if blur > soft:
        blur = edge_blur(
            cv2.cvtColor(_cut(image, far), cv2.COLOR_BGR2GRAY).astype(np.float32), grain, patience
        )
    opposed = part[:, :, 2].astype(np.float32) - part[:, :, 0]
    return blur, grain, noise_level(opposed)


def _cut(image: Image, ltrb: tuple[int, int, int, int]) -> Image:
    left, top, right, bottom = ltrb
    return image[top:bottom, left:right]
