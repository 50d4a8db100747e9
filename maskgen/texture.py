"""How sharp and how grainy a picture is around a face, so that a layer can be given the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image, Landmarks

# A face larger than this between the eyes is looked at in part only: the eyes tell its sharpness.
_LARGEST = 480
# Blur as wide as this is all that is told apart; beyond it everything is soft.
_WIDEST = 6.0
# An edge sampled by a camera is never sharper than this, in pixels.
_SHARPEST = 0.45
_CROWDING = 0.15
# The median absolute deviation of normal noise; the norm of the kernel that lifts it out (Immerkaer, 1996).
_DEVIATION, _KERNEL_NORM = 0.6745, 6.0
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True)
class Texture:
    """What a camera and its encoder did to the picture around a face.

    Attributes:
        blur: Standard deviation in pixels of the Gaussian that edges look blurred by.
        grain: Standard deviation in grey levels of the noise in brightness.
        color_grain: Likewise of the noise in the difference of two channels.
    """

    blur: float
    grain: float
    color_grain: float


def measure_texture(image: Image, landmarks: Landmarks) -> Texture:
    """Measure blur and grain on the face itself."""
    left, top, width, height = landmarks.box
    x0, y0 = max(0, int(left)), max(0, int(top))
    x1 = min(image.shape[1], int(np.ceil(left + width)))
    y1 = min(image.shape[0], int(np.ceil(top + height)))
    if x1 - x0 < 8 or y1 - y0 < 8:
        return Texture(_SHARPEST, 0.0, 0.0)
    if x1 - x0 > _LARGEST:
        middle = round(float(landmarks.anchor("nose_bridge")[0]))
        x0, x1 = max(x0, middle - _LARGEST // 2), min(x1, middle + _LARGEST // 2)
    if y1 - y0 > _LARGEST:
        middle = round(float(landmarks.anchor("nose_bridge")[1]))
        y0, y1 = max(y0, middle - _LARGEST // 2), min(y1, middle + _LARGEST // 2)
    face = image[y0:y1, x0:x1].astype(np.float32)
    grey = face @ np.array([0.114, 0.587, 0.299], np.float32)
    grain = noise_level(grey)
    opposed = noise_level(face[:, :, 2] - face[:, :, 0])
    return Texture(edge_blur(grey, grain), grain, opposed)


def noise_level(plane: NDArray[np.float32]) -> float:
    """Standard deviation of the noise in the calmer half of a (height, width) float32 picture.

    The second difference in both directions leaves noise and takes away slopes and straight edges; the
    median of blocks' levels leaves out what is texture.
    """
    response = np.abs(cv2.filter2D(plane, cv2.CV_32F, _NOISE_KERNEL)[1:-1, 1:-1])
    size = 8
    rows, columns = response.shape[0] // size, response.shape[1] // size
    if rows * columns < 4:
        return float(np.median(response) / (_DEVIATION * _KERNEL_NORM))
    blocks = response[: rows * size, : columns * size].reshape(rows, size, columns, size)
    levels = np.median(blocks.transpose(0, 2, 1, 3).reshape(rows * columns, -1), axis=1)
    return float(np.percentile(levels, 45) / (_DEVIATION * _KERNEL_NORM))


def edge_blur(grey: NDArray[np.float32], grain: float) -> float:
    """Blur of the sharpest edges of a (height, width) float32 picture, in pixels.

    An edge blurred by s and again by r has a gradient smaller by sqrt(s^2 / (s^2 + r^2)) (Zhuo and Sim,
    "Defocus map estimation from a single image", 2011). Strong edges are asked, and the
    sharper ones among them believed.
    """
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.7), np.float32) if grain > 2 else grey
    extra = 0.49 if grain > 2 else 0.0
    again = 1.0
    sharp, soft = _slope(smooth), _slope(np.asarray(cv2.GaussianBlur(smooth, (0, 0), again), np.float32))
    ordinary, steepest = np.percentile(sharp, (96, 99.7))
    # Beside a steep edge, a slope of a few grey levels is mostly their rounding.
    strong = sharp >= max(float(ordinary), 0.4 * float(steepest), 3.0 * grain, 1.0)
    if not strong.any():
        return _WIDEST
    # Only the crest of an edge counts: beside it the blurred edge is the steeper one.
    crest = strong & (sharp >= cv2.dilate(sharp, np.ones((3, 3), np.uint8)) - 1e-3)
    ratio = np.maximum(sharp[crest] / np.maximum(soft[crest], 1e-3), 1.0001)
    estimate = float(np.percentile(again / np.sqrt(ratio**2 - 1), 50))
    # Blurred edges run into one another and read too narrow. Measured on 50 faces blurred by known widths.
    estimate *= 1 + _CROWDING * max(0.0, estimate - 1.5)
    return float(np.clip(np.sqrt(max(estimate**2 - extra, 0.0)), _SHARPEST, _WIDEST))


def _slope(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Length of the gradient by central differences; they and nothing wider, as a wider one blurs."""
    x = cv2.filter2D(plane, cv2.CV_32F, np.array([[-0.5, 0, 0.5]], np.float32))
    y = cv2.filter2D(plane, cv2.CV_32F, np.array([[-0.5], [0], [0.5]], np.float32))
    return np.asarray(cv2.magnitude(x, y), np.float32)


@cache
def _tile() -> NDArray[np.float32]:
    """(512, 512, 4) float32 of standard normal noise, the same on every machine."""
    return np.random.Generator(np.random.PCG64(20)).standard_normal((512, 512, 4)).astype(np.float32)


def grain_field(height: int, width: int, texture: Texture, seed: int) -> NDArray[np.float32]:
    """(height, width, 3) float32 noise in grey levels, of the measured strength."""
    dy, dx = seed % 509, (seed // 509) % 503
    rows, columns = (np.arange(height) + dy) % 512, (np.arange(width) + dx) % 512
    normal = _tile()[np.ix_(rows, columns)]
    # Two channels that differ by noise of strength c each carry c / sqrt(2) of their own.
    own = texture.color_grain / np.sqrt(2)
    shared = np.sqrt(max(texture.grain**2 - own**2 * 0.45, 0.0))
    return np.asarray(normal[:, :, 3:] * shared + normal[:, :, :3] * own, np.float32)
