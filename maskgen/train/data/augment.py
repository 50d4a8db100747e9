"""Random augmentation of training images: flip, shift, rotation, contrast and erasing.

The random numbers depend only on the seed, the epoch and the index of the example. The number of threads and
a resumed run do not change an image. Validation and test images are never augmented.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

GREY = 128

# Columns of the random numbers.
FLIP, SHIFT_X, SHIFT_Y, ROTATION, CONTRAST, ERASE, ERASE_X, ERASE_Y, ERASE_AREA, ERASE_ASPECT = range(10)
DRAWS = 10


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the augmentation; zero turns a part off."""

    flip: float = 0.5  # probability of a horizontal flip
    shift: float = 0.08  # maximum shift in each direction, as a share of the image side
    rotation: float = 12.0  # maximum rotation in each direction, in degrees
    contrast: float = 0.2  # maximum change of contrast: a factor from 0.8 to 1.2
    erasing: float = 0.25  # probability of a grey rectangle


NONE = Augmentation(0, 0, 0, 0, 0)


def draw(count: int, seed: int, epoch: int) -> NDArray[np.float32]:
    """Random numbers of one epoch: (count, DRAWS) float32 from 0 to 1, one row for each example."""
    return np.random.default_rng((seed % 2**63, epoch)).random((count, DRAWS), dtype=np.float32)


def augmented(rgb: NDArray[np.uint8], draws: NDArray[np.float32], how: Augmentation) -> NDArray[np.uint8]:
    """Augment one image, (side, side, 3) uint8; `draws` is one row of `draw`."""
    if how.flip or how.shift or how.rotation:
        rgb = _warped(rgb, draws, how)
    if how.contrast:
        factor = 1 + how.contrast * (2 * float(draws[CONTRAST]) - 1)
        mean = sum(cv2.mean(rgb)[:3]) / 3
        rgb = np.asarray(cv2.addWeighted(rgb, factor, rgb, 0, mean * (1 - factor)), dtype=np.uint8)
    return _erased(rgb, draws) if draws[ERASE] < how.erasing else rgb


def _warped(rgb: NDArray[np.uint8], draws: NDArray[np.float32], how: Augmentation) -> NDArray[np.uint8]:
    """Flip, rotate and shift in one resampling; pixels from outside repeat the edge."""
    side = rgb.shape[0]
    middle = (side - 1) / 2
    angle = math.radians((2 * float(draws[ROTATION]) - 1) * how.rotation)
    mirror = -1.0 if draws[FLIP] < how.flip else 1.0
    cosine, sine = math.cos(angle), math.sin(angle)
    # The inverse map: from a point of the result to a point of the source image.
    a, b, c, d = mirror * cosine, -mirror * sine, sine, cosine
    x = middle + (2 * float(draws[SHIFT_X]) - 1) * how.shift * side - (a + b) * middle
    y = middle + (2 * float(draws[SHIFT_Y]) - 1) * how.shift * side - (c + d) * middle
    matrix, flags = np.array(((a, b, x), (c, d, y))), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(rgb, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def _erased(rgb: NDArray[np.uint8], draws: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Random erasing: a grey rectangle of 2 to 20 % of the area, with an aspect ratio of at most 2."""
    side = rgb.shape[0]
    area = (0.02 + 0.18 * float(draws[ERASE_AREA])) * side * side
    aspect = 2 ** (2 * float(draws[ERASE_ASPECT]) - 1)
    width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
    left = round(float(draws[ERASE_X]) * (side - width))
    top = round(float(draws[ERASE_Y]) * (side - height))
    rgb = rgb.copy()
    rgb[top : top + height, left : left + width] = GREY
    return rgb
