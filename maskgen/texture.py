"""How sharp and how grainy a picture is around a face, so that a layer can be given the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image, Landmarks

# What is looked at, beside, above and below the middle of the eyes in eye distances: the eyes, the brows and
# the nose tell a sharp face's blur, what is bare between them its grain. A softer face is asked as a whole.
_BETWEEN_EYES = 6
_NEAR, _FAR = (0.7, 0.4, 0.5), (0.85, 0.6, 1.3)
_SOFT = 1.6
# Of a large face no more than this many pixels a side.
_LARGEST = 256
# Blur as wide as this is all that is told apart; beyond it everything is soft.
_WIDEST = 6.0
# An edge sampled by a camera is never sharper than this, in pixels.
_SHARPEST = 0.45
_CROWDING = 0.08
# From the mean absolute answer of the kernel, whose norm is 6, to the deviation of normal noise; a calm
# block's mean is a little below that of all.
_TO_DEVIATION, _CALM = math.sqrt(math.pi / 2) / 6.0 * 1.03, 0.35
_BLOCK = 8
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
    around = _around_eyes(image, landmarks, _NEAR)
    if min(around.shape[:2]) < 8:
        return Texture(_SHARPEST, 0.0, 0.0)
    grey = cv2.cvtColor(around, cv2.COLOR_BGR2GRAY).astype(np.float32)
    opposed = cv2.subtract(cv2.extractChannel(around, 2), cv2.extractChannel(around, 0), dtype=cv2.CV_32F)
    # Rounding to whole grey levels is no grain.
    grain = math.sqrt(max(noise_level(grey) ** 2 - 1 / 12, 0.0))
    blur = edge_blur(grey, grain)
    if blur > _SOFT:
        # Where even the eyes are soft, the whole face is asked, and with more patience.
        face = _around_eyes(image, landmarks, _FAR)
        blur = edge_blur(np.asarray(cv2.cvtColor(face.astype(np.float32), cv2.COLOR_BGR2GRAY)), grain, 1.5)
    return Texture(blur, grain, noise_level(np.asarray(opposed, np.float32)))


def _around_eyes(image: Image, landmarks: Landmarks, reaches: tuple[float, float, float]) -> Image:
    """The image as far beside, above and below the middle of the eyes, in eye distances; may be empty."""
    x, y = landmarks.points[_BETWEEN_EYES, :2].tolist()
    beside, above, below = (min(reach * landmarks.eye_distance, _LARGEST / 2) for reach in reaches)
    return image[
        max(0, int(y - above)) : max(0, int(y + below) + 1),
        max(0, int(x - beside)) : max(0, int(x + beside) + 1),
    ]


def noise_level(plane: NDArray[np.float32]) -> float:
    """Standard deviation of the noise in the calmer part of a (height, width) float32 picture.

    The second difference in both directions leaves noise and takes away slopes and straight edges (Immerkaer,
    "Fast noise variance estimation", 1996); the calmer blocks are those without texture.
    """
    response = np.abs(cv2.filter2D(plane, cv2.CV_32F, _NOISE_KERNEL)[1:-1, 1:-1])
    rows, columns = response.shape[0] // _BLOCK, response.shape[1] // _BLOCK
    if rows * columns < 4:
        return float(response.mean()) * _TO_DEVIATION
    whole = response[: rows * _BLOCK, : columns * _BLOCK]
    levels = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA).ravel()
    calm = int(_CALM * (rows * columns - 1))
    return float(np.partition(levels, calm)[calm]) * _TO_DEVIATION


def edge_blur(grey: NDArray[np.float32], grain: float, again: float = 1.0) -> float:
    """Blur of the sharpest edges of a (height, width) float32 picture, in pixels.

    An edge blurred by s and again by r has a gradient smaller by sqrt(s^2 / (s^2 + r^2)) (Zhuo and Sim,
    "Defocus map estimation from a single image", 2011). Strong edges are asked, and the sharper ones among
    them believed. ``again`` is r, in pixels.
    """
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.7), np.float32) if grain > 2 else grey
    extra = 0.49 if grain > 2 else 0.0
    sharp, soft = _slope(smooth), _slope(np.asarray(cv2.GaussianBlur(smooth, (0, 0), again), np.float32))
    ordinary, steepest = _percentiles(sharp, (0.96, 0.997))
    # Beside a steep edge, a slope of a few grey levels is mostly their rounding.
    strong = sharp >= max(ordinary, 0.4 * steepest, 3.0 * grain, 1.0)
    if not strong.any():
        return _WIDEST
    # Only the crest of an edge counts: beside it the blurred edge is the steeper one.
    at = np.flatnonzero(strong & (sharp >= cv2.dilate(sharp, np.ones((3, 3), np.uint8)) - 1e-3))
    ratio = np.maximum(np.take(sharp, at) / np.maximum(np.take(soft, at), 1e-3), 1.0001)
    widths = again / np.sqrt(np.square(ratio) - 1)
    estimate = float(np.partition(widths, len(widths) // 2)[len(widths) // 2])
    # Blurred edges run into one another and read too narrow. Measured on 50 faces blurred by known widths.
    estimate *= 1 + _CROWDING * max(0.0, estimate - 1.5)
    return min(max(math.sqrt(max(estimate**2 - extra, 0.0)), _SHARPEST), _WIDEST)


def _percentiles(values: NDArray[np.float32], shares: tuple[float, ...]) -> list[float]:
    """Values below which those shares of a picture's lie, about, in order."""
    flat = values[::2].ravel()
    at = [int(share * (len(flat) - 1)) for share in shares]
    return [float(value) for value in np.partition(flat, at)[at]]


def _slope(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Length of the gradient inside the border, by central differences: a wider one blurs."""
    x = plane[1:-1, 2:] - plane[1:-1, :-2]
    y = plane[2:, 1:-1] - plane[:-2, 1:-1]
    return np.asarray(cv2.magnitude(x, y), np.float32) * np.float32(0.5)
