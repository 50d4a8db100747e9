"""A part of an image at a half, a quarter, an eighth of its size, and the way back from there.

Halving averages four pixels into one. It costs a fifth of reducing by any other factor, which is why a face
is looked at in such steps and not at one size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Floats = NDArray[np.float32]
Values = TypeVar("Values", Image, Floats)


@dataclass(frozen=True, eq=False)
class DownscaledRoi:
    """Part of an image, reduced.

    *Convention*: pixel (i, j) of the part covers the image's pixels from ``corner + step * (i, j)`` on,
    ``step`` of them in each direction.

    Attributes:
        bgr: (height, width, 3) uint8.
        corner: (x, y) of the part's top left pixel in the image.
        step: Image pixels for one of the part's, a power of two.
    """

    bgr: Image
    corner: tuple[int, int]
    step: int

    def points(self, points: NDArray[np.float32]) -> Floats:
        """(n, 2) points of the image as points of the part."""
        here = (points - (np.array(self.corner, np.float32) - np.float32(0.5))) / np.float32(self.step)
        return here - np.float32(0.5)

    def back(self, values: Floats, window: tuple[int, int, int, int]) -> Floats:
        """Values of the part, interpolated over a window of the image.

        Beyond the part they go on as at its edge.

        Args:
            values: float32 of the part's height and width, with any channels.
            window: (x, y, width, height) in pixels of the image.
        """
        return enlarge(values, self.corner, self.step, window)


def enlarge(values: Floats, corner: tuple[int, int], step: int, window: tuple[int, int, int, int]) -> Floats:
    """Interpolate values of a downscaled part over a window of the image, as `DownscaledRoi.back` does.

    Args:
        values: (height, width) or (height, width, channels) float32; they go on beyond their border.
        corner: (x, y) of the part in the image.
        step: Image pixels for one of the part's.
        window: (x, y, width, height) in pixels of the image.
    """
    x, y, width, height = window
    left, top = ((a - b) // step - 1 for a, b in zip((x, y), corner, strict=True))
    right = (x + width - 1 - corner[0]) // step + 2
    bottom = (y + height - 1 - corner[1]) // step + 2
    block = cut(values, left, top, right, bottom)
    size = ((right - left) * step, (bottom - top) * step)
    full = np.asarray(cv2.resize(block, size, interpolation=cv2.INTER_LINEAR), np.float32)
    at_x, at_y = x - corner[0] - left * step, y - corner[1] - top * step
    return full[at_y : at_y + height, at_x : at_x + width]


def reduce(image: Image, box: tuple[float, float, float, float], wanted: float) -> DownscaledRoi:
    """The part of the image inside a box, halved as often as leaves it at least at the wanted size.

    Args:
        image: (height, width, 3) uint8.
        box: (left, top, right, bottom) in pixels; the part has at least one pixel.
        wanted: Least size, as a share of the image's.
    """
    height, width = image.shape[:2]
    # The exponent of the greatest power of two that is not above 1 / wanted.
    step = 1 << (math.frexp(1 / wanted)[1] - 1) if wanted < 1 else 1
    step = min(step, 1 << (min(height, width).bit_length() - 1))
    (left, right), (top, bottom) = (
        _span(low, high, end, step) for low, high, end in ((box[0], box[2], width), (box[1], box[3], height))
    )
    part = image[top:bottom, left:right]
    for _ in range(step.bit_length() - 1):
        size = (part.shape[1] // 2, part.shape[0] // 2)
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return DownscaledRoi(part, (left, top), step)


def inside(box: tuple[float, float, float, float], image: Image) -> tuple[int, int, int, int]:
    """The whole pixels of an image inside a (left, top, right, bottom) box, at least one."""
    height, width = image.shape[:2]
    (left, right), (top, bottom) = _span(box[0], box[2], width, 1), _span(box[1], box[3], height, 1)
    return left, top, right, bottom


def _span(low: float, high: float, end: int, step: int) -> tuple[int, int]:
    """Whole pixels from low to high, in the image, a multiple of ``step`` of them and at least one."""
    first = min(max(0, int(low)), end - step)
    count = max(1, (min(end, math.ceil(high)) - first) // step)
    return first, first + count * step


def cut(values: Values, left: int, top: int, right: int, bottom: int) -> Values:
    """The rectangle of an array, its border repeated where the rectangle leaves it."""
    height, width = values.shape[:2]
    x0, x1 = min(max(left, 0), width - 1), max(min(right, width), 1)
    y0, y1 = min(max(top, 0), height - 1), max(min(bottom, height), 1)
    inside = values[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    above, before = max(0, -top), max(0, -left)
    below = bottom - top - inside.shape[0] - above
    behind = right - left - inside.shape[1] - before
    if not (above or before or below > 0 or behind > 0):
        return inside
    # A rectangle wholly outside shows the nearest row or column throughout.
    above, before = min(above, bottom - top - 1), min(before, right - left - 1)
    below, behind = bottom - top - inside.shape[0] - above, right - left - inside.shape[1] - before
    return cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE)  # type: ignore[return-value]
