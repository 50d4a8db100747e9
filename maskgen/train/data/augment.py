"""Augmentation of training images: every draw is made beforehand, per example, and applied here.

The draws come from (seed, epoch, the example's place in the list) alone, so that neither the number of
threads nor a resumed run changes an image. Validation and test images never come here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

GREY = 128

# Columns of the draws.
FLIP, SHIFT_X, SHIFT_Y, ROTATION, CONTRAST, ERASE, ERASE_X, ERASE_Y, ERASE_AREA, ERASE_ASPECT = range(10)
DRAWS = 10


@dataclass(frozen=True)
class Augmentation:
    """How much the training's images are varied; zero leaves a part out.

    Attributes:
        flip: Share of the images that are mirrored.
        shift: How far an image is moved at most, in its sides, each way.
        rotation: How far it is turned at most, in degrees, each way.
        contrast: By how much its contrast is changed at most: 0.2 is from 0.8 to 1.2 times.
        erasing: Share of the images that get a grey rectangle.
    """

    flip: float = 0.5
    shift: float = 0.08
    rotation: float = 12.0
    contrast: float = 0.2
    erasing: float = 0.25


NONE = Augmentation(0, 0, 0, 0, 0)


def draw(count: int, seed: int, epoch: int) -> NDArray[np.float32]:
    """The draws of one epoch for every example.

    Returns:
        (count, DRAWS) numbers from 0 to 1.
    """
    return np.random.default_rng((seed % 2**63, epoch)).random((count, DRAWS), dtype=np.float32)


def augmented(rgb: NDArray[np.uint8], draws: NDArray[np.float32], how: Augmentation) -> NDArray[np.uint8]:
    """Apply one example's draws.

    Args:
        rgb: (side, side, 3) uint8.
        draws: (DRAWS,) from `draw`.
        how: The strengths.

    Returns:
        An image like `rgb`.
    """
    if how.flip or how.shift or how.rotation:
        rgb = _moved(rgb, draws, how)
    if how.contrast:
        factor = 1 + how.contrast * (2 * float(draws[CONTRAST]) - 1)
        mean = sum(cv2.mean(rgb)[:3]) / 3
        rgb = np.asarray(cv2.addWeighted(rgb, factor, rgb, 0, mean * (1 - factor)), dtype=np.uint8)
    return _erased(rgb, draws) if draws[ERASE] < how.erasing else rgb


def _moved(rgb: NDArray[np.uint8], draws: NDArray[np.float32], how: Augmentation) -> NDArray[np.uint8]:
    """Flip, turn and shift in one resampling; what comes in from outside repeats the edge."""
    side = rgb.shape[0]
    middle = (side - 1) / 2
    angle = math.radians((2 * float(draws[ROTATION]) - 1) * how.rotation)
    mirror = -1.0 if draws[FLIP] < how.flip else 1.0
    cosine, sine = math.cos(angle), math.sin(angle)
    # From a point of the result to the point of the image it is taken from.
    a, b, c, d = mirror * cosine, -mirror * sine, sine, cosine
    x = middle + (2 * float(draws[SHIFT_X]) - 1) * how.shift * side - (a + b) * middle
    y = middle + (2 * float(draws[SHIFT_Y]) - 1) * how.shift * side - (c + d) * middle
    moved = cv2.warpAffine(
        rgb,
        np.array(((a, b, x), (c, d, y))),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, dtype=np.uint8)


def _erased(rgb: NDArray[np.uint8], draws: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Random erasing: a grey rectangle of 2 to 20 % of the image, at most twice as long as wide."""
    side = rgb.shape[0]
    area = (0.02 + 0.18 * float(draws[ERASE_AREA])) * side * side
    aspect = 2 ** (2 * float(draws[ERASE_ASPECT]) - 1)
    width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
    left = round(float(draws[ERASE_X]) * (side - width))
    top = round(float(draws[ERASE_Y]) * (side - height))
    rgb = rgb.copy()
    rgb[top : top + height, left : left + width] = GREY
    return rgb
