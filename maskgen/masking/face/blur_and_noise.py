"""Estimates of image noise and edge blur.

Images are blurred as 16-bit integers: the results are the same on every processor.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Floats = NDArray[np.float32]

# Largest blur that is told apart, in pixels.
WIDEST = 6.0
# An edge sampled by a camera is never sharper than this, in pixels.
SHARPEST = 0.45
_CROWDING = 0.08
# Factor from the mean absolute response of the kernel, whose norm is 6, to the deviation of normal noise; the
# mean of a calm block is slightly below that of all blocks. _CALM is the quantile of blocks that are calm.
_TO_DEVIATION, _CALM = math.sqrt(math.pi / 2) / 6.0 * 1.03, 0.35
_BLOCK = 8
# Noise above _GRAINY grey levels is blurred by _SMOOTHING pixels before edges are searched.
_GRAINY, _SMOOTHING = 2.0, 0.7
_ORDINARY, _STEEPEST = 0.96, 0.997
_SECOND_DIFFERENCE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


def noise_level(plane: Floats) -> float:
    """Standard deviation of the noise in the calmer part of a (height, width) float32 plane, 0 below 3 x 3.

    The second difference in both directions keeps noise and removes slopes and straight edges (Immerkaer,
    "Fast noise variance estimation", 1996); the calmer blocks are those without texture.
    """
    height, width = plane.shape
    if height < 3 or width < 3:
        return 0.0
    response = np.abs(cv2.filter2D(plane, cv2.CV_32F, _SECOND_DIFFERENCE)[1:-1, 1:-1])
    rows, columns = (height - 2) // _BLOCK, (width - 2) // _BLOCK
    if rows * columns < 4:
        return float(response.mean(dtype=np.float64)) * _TO_DEVIATION
    blocks = response[: rows * _BLOCK, : columns * _BLOCK]
    means = cv2.resize(blocks, (columns, rows), interpolation=cv2.INTER_AREA)
    return _quantile(means.ravel(), _CALM) * _TO_DEVIATION


def edge_blur(grey: Floats, grain: float, reblur: float = 1.0) -> float:
    """Blur of the sharpest edges of an image, in pixels, from `SHARPEST` to `WIDEST`.

    An edge blurred by s and again by r has a gradient smaller by sqrt(s^2 / (s^2 + r^2)) (Zhuo and Sim,
    "Defocus map estimation from a single image", 2011). The estimate is the median over the strong edges.

    Args:
        grey: (height, width) float32, from 0 to 255.
        grain: Noise of the image, in grey levels.
        reblur: r, in pixels.
    """
    if min(grey.shape) < 3:
        return WIDEST
    plane = np.asarray(np.rint(np.clip(grey, 0, 255) * 256), np.uint16)
    grainy = grain > _GRAINY
    if grainy:
        plane = _blurred(plane, _SMOOTHING)
    slopes, blurred = _slopes(plane), _slopes(_blurred(plane, reblur))
    judged = slopes[::2].flatten()
    ordinary, steepest = (int(share * (judged.size - 1)) for share in (_ORDINARY, _STEEPEST))
    judged.partition((ordinary, steepest))
    # Beside a steep edge, a slope of a few grey levels is mostly rounding.
    least = max(float(judged[ordinary]), 0.4 * float(judged[steepest]), 3.0 * grain, 1.0)
    # Only the crest of an edge counts: beside the crest the reblurred edge is steeper.
    beside = cv2.dilate(slopes, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT, borderValue=[0])
    crests = (slopes >= least) & (beside <= slopes + np.float32(1e-3))
    if not crests.any():
        return WIDEST
    ratios = np.maximum(slopes[crests] / np.maximum(blurred[crests], np.float32(1e-3)), np.float32(1.0001))
    estimate = float(_quantile(reblur / np.sqrt(ratios * ratios - 1), 0.5))
    # Blurred edges overlap and read too narrow. The factor was measured on 50 faces blurred by known widths.
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
    """A quantile without interpolation."""
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])


def measure_blur_and_noise(
    image: Image,
    near_ltrb: tuple[int, int, int, int],
    far_ltrb: tuple[int, int, int, int],
    soft: float,
    far_reblur: float,
) -> tuple[float, float, float]:
    """Blur in pixels, and noise in brightness and in colour in grey levels, of a part of an image.

    Args:
        image: (height, width, 3) uint8 BGR.
        near_ltrb: The part.
        far_ltrb: A larger part; its blur is used if that of the near part exceeds ``soft``.
        soft: Blur in pixels.
        far_reblur: Pixels by which the far part is blurred again to measure its edges.
    """
    part = _cut(image, near_ltrb)
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    # Rounding to whole grey levels has a variance of 1/12, which is no noise.
    grain = math.sqrt(max(noise_level(grey) ** 2 - 1 / 12, 0.0))
    blur = edge_blur(grey, grain)
    if blur > soft:
        far_grey = cv2.cvtColor(_cut(image, far_ltrb), cv2.COLOR_BGR2GRAY).astype(np.float32)
        blur = edge_blur(far_grey, grain, far_reblur)
    opposed = part[:, :, 2].astype(np.float32) - part[:, :, 0]
    return blur, grain, noise_level(opposed)


def _cut(image: Image, ltrb: tuple[int, int, int, int]) -> Image:
    left, top, right, bottom = ltrb
    return image[top:bottom, left:right]
