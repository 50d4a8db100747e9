"""Random augmentation of training images: geometry, colour, image quality and erasing.

The random numbers depend only on the seed, the epoch and the index of the example. The number of threads and
a resumed run do not change an image. Validation and test images are never augmented.
"""

import math
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

GREY = 128

# Columns of the random numbers.
FLIP, SHIFT_X, SHIFT_Y, ROTATION, CONTRAST, ERASE, ERASE_X, ERASE_Y, ERASE_AREA, ERASE_ASPECT = range(10)
SCALE, BRIGHTNESS, SATURATION, BLUR, BLUR_SIGMA, JPEG, JPEG_QUALITY, MASK = range(10, 18)
DRAWS = 18

# Standard deviation of the blur, as a share of the image side: 0.6 to 1.9 pixels of 128.
SIGMAS = (0.005, 0.015)
QUALITIES = (30, 80)


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the augmentation; zero turns a part off."""

    flip: float = 0.5  # probability of a horizontal flip
    shift: float = 0.08  # maximum shift in each direction, as a share of the image side
    rotation: float = 12.0  # maximum rotation in each direction, in degrees
    scale: float = 0.12  # maximum change of size: a factor from 0.88 to 1.12
    contrast: float = 0.25  # maximum change of contrast: a factor from 0.75 to 1.25
    color: float = 0.3  # maximum change of saturation, as a factor; of brightness, a quarter of it
    blur: float = 0.15  # probability of a Gaussian blur
    jpeg: float = 0.15  # probability of a JPEG compression with a quality from 30 to 80
    erasing: float = 0.25  # probability of a grey rectangle


NONE = Augmentation(**{field.name: 0 for field in fields(Augmentation)})


def draw(count: int, seed: int, epoch: int) -> NDArray[np.float32]:
    """Random numbers of one epoch: (count, DRAWS) float32 from 0 to 1, one row for each example."""
    return np.random.default_rng((seed % 2**63, epoch)).random((count, DRAWS), dtype=np.float32)


def augmented(rgb: NDArray[np.uint8], draws: NDArray[np.float32], how: Augmentation) -> NDArray[np.uint8]:
    """Augment one image, (side, side, 3) uint8; `draws` is one row of `draw`."""
    if how.flip or how.shift or how.rotation or how.scale:
        rgb = _warped(rgb, draws, how)
    if how.contrast or how.color:
        rgb = _recolored(rgb, draws, how)
    if draws[BLUR] < how.blur:
        sigma = rgb.shape[0] * _between(SIGMAS, draws[BLUR_SIGMA])
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), dtype=np.uint8)
    if draws[JPEG] < how.jpeg:
        quality = round(_between(QUALITIES, draws[JPEG_QUALITY]))
        # OpenCV takes red for blue here and back: the artefacts are the same but in chroma.
        _, data = cv2.imencode(".jpg", rgb, (cv2.IMWRITE_JPEG_QUALITY, quality))
        rgb = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return _erased(rgb, draws) if draws[ERASE] < how.erasing else rgb


def _between(limits: tuple[float, float], draw: np.float32) -> float:
    return limits[0] + (limits[1] - limits[0]) * float(draw)


def _either_way(draw: np.float32) -> float:
    """A number from -1 to 1."""
    return 2 * float(draw) - 1


def _warped(rgb: NDArray[np.uint8], draws: NDArray[np.float32], how: Augmentation) -> NDArray[np.uint8]:
    """Flip, rotate, scale and shift in one resampling; pixels from outside repeat the edge."""
    side = rgb.shape[0]
    middle = (side - 1) / 2
    angle = math.radians(_either_way(draws[ROTATION]) * how.rotation)
    mirror = -1.0 if draws[FLIP] < how.flip else 1.0
    factor = 1 + how.scale * _either_way(draws[SCALE])
    cosine, sine = math.cos(angle) / factor, math.sin(angle) / factor
    # The inverse map: from a point of the result to a point of the source image.
    a, b, c, d = mirror * cosine, -mirror * sine, sine, cosine
    x = middle + _either_way(draws[SHIFT_X]) * how.shift * side - (a + b) * middle
    y = middle + _either_way(draws[SHIFT_Y]) * how.shift * side - (c + d) * middle
    matrix, flags = np.array(((a, b, x), (c, d, y))), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(rgb, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def _recolored(rgb: NDArray[np.uint8], draws: NDArray[np.float32], how: Augmentation) -> NDArray[np.uint8]:
    """Change contrast, saturation and brightness, around the mean of the image.

    All three are one affine map of a pixel's three channels.
    """
    contrast = 1 + how.contrast * _either_way(draws[CONTRAST])
    saturation = 1 + how.color * _either_way(draws[SATURATION])
    brightness = 255 * how.color / 4 * _either_way(draws[BRIGHTNESS])
    matrix = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)
    offset = np.full((3, 1), sum(cv2.mean(rgb)[:3]) / 3 * (1 - contrast) + brightness)
    return np.asarray(cv2.transform(rgb, np.hstack((matrix, offset))), dtype=np.uint8)


def _erased(rgb: NDArray[np.uint8], draws: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Random erasing: a grey rectangle of 2 to 20 % of the area, with an aspect ratio of at most 2."""
    side = rgb.shape[0]
    area = (0.02 + 0.18 * float(draws[ERASE_AREA])) * side * side
    aspect = 2 ** _either_way(draws[ERASE_ASPECT])
    width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
    left = round(float(draws[ERASE_X]) * (side - width))
    top = round(float(draws[ERASE_Y]) * (side - height))
    rgb = rgb.copy()
    rgb[top : top + height, left : left + width] = GREY
    return rgb
