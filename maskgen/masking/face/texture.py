"""Blur and noise of the image around a face; `maskgen.masking.layer` gives a layer the same.

Images are blurred as whole numbers: the results are the same on every processor.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.records import Image

Floats = NDArray[np.float32]

# The measured part: how far it reaches beside, above and below the middle of the eyes, in eye distances.
# Eyes, brows and nose have the edges that show blur, the bare skin between them shows noise. If the blur of
# the near part is above _SOFT pixels, it is measured again on the far part.
_BETWEEN_EYES = 6
_NEAR, _FAR = (0.7, 0.4, 0.5), (0.85, 0.6, 1.3)
_SOFT = 1.6
_LEAST = 8  # pixels a side below which nothing is measured
_LARGEST = 256  # most pixels a side that are measured

# Largest blur that is told apart, and the blur of an edge as sharp as a camera samples it, in pixels.
_WIDEST, _SHARPEST = 6.0, 0.45
_CROWDING = 0.08
# Factor from the mean absolute response of the kernel, whose norm is 6, to the deviation of normal noise; the
# mean of a calm block is slightly below that of all blocks. _CALM is the quantile of blocks that are calm.
_TO_DEVIATION, _CALM = math.sqrt(math.pi / 2) / 6.0 * 1.03, 0.35
_BLOCK = 8
_SECOND_DIFFERENCE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
# Noise above _GRAINY grey levels is blurred by _SMOOTHING pixels before edges are searched.
_GRAINY, _SMOOTHING = 2.0, 0.7
_ORDINARY, _STEEPEST = 0.96, 0.997
_SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Texture:
    """What a camera and its encoder did to the image around a face.

    Attributes:
        blur: Standard deviation, in pixels, of the Gaussian blur of edges.
        grain: Standard deviation, in grey levels, of the noise in brightness.
        color_grain: Standard deviation, in grey levels, of the noise in the difference of two channels.
    """

    blur: float
    grain: float
    color_grain: float


def measure_texture(image: Image, landmarks: Landmarks) -> Texture:
    """Measure blur and grain on the face itself; ``image`` is (height, width, 3) uint8 BGR."""
    near = _around_eyes(image, landmarks, _NEAR)
    if min(near.shape[:2]) < _LEAST:
        return Texture(_SHARPEST, 0.0, 0.0)
    grey = np.asarray(cv2.cvtColor(near, cv2.COLOR_BGR2GRAY), np.uint8)
    # Rounding to whole grey levels has a variance of 1/12, which is no noise.
    grain = math.sqrt(max(noise_level(grey.astype(np.float32)) ** 2 - 1 / 12, 0.0))
    blur = edge_blur(grey, grain)
    if blur > _SOFT:
        far = cv2.cvtColor(_around_eyes(image, landmarks, _FAR), cv2.COLOR_BGR2GRAY)
        blur = edge_blur(np.asarray(far, np.uint8), grain, 5)
    opposed = near[:, :, 2].astype(np.float32) - near[:, :, 0]
    return Texture(blur, grain, noise_level(opposed))


def _around_eyes(image: Image, landmarks: Landmarks, reaches: tuple[float, float, float]) -> Image:
    """The image around the middle of the eyes; ``reaches`` are those of `_NEAR`."""
    x, y, _ = landmarks.points[_BETWEEN_EYES].tolist()
    beside, above, below = (min(reach * landmarks.eye_distance, _LARGEST / 2) for reach in reaches)
    rows = slice(max(0, int(y - above)), max(0, int(y + below) + 1))
    return image[rows, max(0, int(x - beside)) : max(0, int(x + beside) + 1)]


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


def edge_blur(grey: Image, grain: float, side: int = 3) -> float:
    """Blur of the sharpest edges of an image in pixels, from that of a camera's sharpest edges to 6.

    An edge blurred by s and again by r has a gradient smaller by sqrt(s^2 / (s^2 + r^2)) (Zhuo and Sim,
    "Defocus map estimation from a single image", 2011). The estimate is the median over the strong edges.

    Args:
        grey: (height, width) uint8.
        grain: Noise of the image, in grey levels.
        side: Side in pixels of the box filter that blurs it again, whose variance is (side^2 - 1) / 12.
    """
    if min(grey.shape) < 3:
        return _WIDEST
    grainy = grain > _GRAINY
    if grainy:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), _SMOOTHING), np.uint8)
    slopes = _squared_slopes(grey)
    judged = slopes[::2].flatten()
    ordinary, steepest = (int(share * (judged.size - 1)) for share in (_ORDINARY, _STEEPEST))
    judged.partition((ordinary, steepest))
    # Beside a steep edge, a slope of a few grey levels is mostly rounding.
    least = max(judged[ordinary], 0.4**2 * judged[steepest], (2 * 3.0 * grain) ** 2, 2.0**2)
    # Only the crest of an edge counts: beside the crest the reblurred edge is steeper.
    crests = (slopes >= np.float32(least)) & (slopes >= cv2.dilate(slopes, _SQUARE))
    # Sums of whole numbers: exact.
    blurred = _squared_slopes(cv2.boxFilter(grey, cv2.CV_16S, (side, side), normalize=False))[crests]
    if not blurred.size:
        return _WIDEST
    remaining = min(max(_quantile(blurred / slopes[crests], 0.5) / side**4, 1e-6), 0.9998)
    estimate = math.sqrt((side**2 - 1) / 12 * remaining / (1 - remaining))
    # Blurred edges overlap and read too narrow. The factor was measured on 50 faces blurred by known widths.
    estimate *= 1 + _CROWDING * max(0.0, estimate - 1.5)
    smoothing = _SMOOTHING**2 if grainy else 0.0
    return min(max(math.sqrt(max(estimate**2 - smoothing, 0.0)), _SHARPEST), _WIDEST)


def _squared_slopes(plane: NDArray[Any]) -> Floats:
    """(height - 2, width - 2) float32: squared steepness of each inner pixel, in half grey levels a pixel."""
    values = plane.astype(np.float32)
    across, down = values[1:-1, 2:] - values[1:-1, :-2], values[2:, 1:-1] - values[:-2, 1:-1]
    np.multiply(across, across, out=across)
    np.multiply(down, down, out=down)
    slopes: Floats = np.add(across, down, out=across)
    return slopes


def _quantile(values: NDArray[Any], share: float) -> float:
    """A quantile without interpolation."""
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])
