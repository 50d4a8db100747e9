"""Part of an image downscaled by a power of two, and interpolation back to the image.

Halving averages four pixels into one. It costs a fifth of downscaling by any other factor.
"""

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
    """A downscaled part of an image.

    *Convention*: pixel (i, j) of the part covers ``step`` x ``step`` pixels of the image, starting at
    ``corner + step * (i, j)``.

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
        return np.asarray(here - np.float32(0.5), np.float32)

    def upsample(self, values: Floats, window_xywh: tuple[int, int, int, int]) -> Floats:
        """Interpolate values of the part over a window of the image; see `upsample`."""
        return upsample(values, self.corner, self.step, window_xywh)


def upsample(
    values: Floats, corner: tuple[int, int], step: int, window_xywh: tuple[int, int, int, int]
) -> Floats:
    """Interpolate values of a downscaled part over a window of the image.

    Args:
        values: (height, width) or (height, width, channels) float32; the border is repeated outside the part.
        corner: (x, y) of the part in the image.
        step: Image pixels for one of the part's.
        window_xywh: The window in pixels of the image.
    """
    x, y, width, height = window_xywh
    left, top = ((a - b) // step - 1 for a, b in zip((x, y), corner, strict=True))
    right = (x + width - 1 - corner[0]) // step + 2
    bottom = (y + height - 1 - corner[1]) // step + 2
    block = crop(values, left, top, right, bottom)
    size = ((right - left) * step, (bottom - top) * step)
    full = np.asarray(cv2.resize(block, size, interpolation=cv2.INTER_LINEAR), np.float32)
    at_x, at_y = x - corner[0] - left * step, y - corner[1] - top * step
    return full[at_y : at_y + height, at_x : at_x + width]


def downscale(image: Image, box_ltrb: tuple[float, float, float, float], least_scale: float) -> DownscaledRoi:
    """Cut a box out of an image and halve it while its scale stays at or above the least one.

    Args:
        image: (height, width, 3) uint8.
        box_ltrb: The box in pixels; the part has at least one pixel.
        least_scale: Least size of the part, as a share of its size in the image.
    """
    height, width = image.shape[:2]
    # The greatest power of two that is at most 1 / least_scale.
    step = 1 << (math.frexp(1 / least_scale)[1] - 1) if least_scale < 1 else 1
    step = min(step, 1 << (min(height, width).bit_length() - 1))
    (left, right), (top, bottom) = (
        _span(low, high, end, step)
        for low, high, end in ((box_ltrb[0], box_ltrb[2], width), (box_ltrb[1], box_ltrb[3], height))
    )
    part = image[top:bottom, left:right]
    for _ in range(step.bit_length() - 1):
        size = (part.shape[1] // 2, part.shape[0] // 2)
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return DownscaledRoi(part, (left, top), step)


def _span(low: float, high: float, end: int, step: int) -> tuple[int, int]:
    """First and last (exclusive) pixel from low to high, inside 0..end; their count is a multiple of step."""
    first = min(max(0, int(low)), end - step)
    count = max(1, (min(end, math.ceil(high)) - first) // step)
    return first, first + count * step


def cut_out(plane: Image, left: int, top: int, width: int, height: int) -> Image:
    """A rectangle of a (rows, columns) uint8 plane; 0 outside the plane."""
    shown = np.zeros((height, width), np.uint8)
    inside = plane[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    x, y = max(0, -left), max(0, -top)
    shown[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return shown


def crop(values: Values, left: int, top: int, right: int, bottom: int) -> Values:
    """A rectangle of an array; outside the array its border is repeated."""
    height, width = values.shape[:2]
    x0, x1 = min(max(left, 0), width - 1), max(min(right, width), 1)
    y0, y1 = min(max(top, 0), height - 1), max(min(bottom, height), 1)
    inside = values[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    above, before = max(0, -top), max(0, -left)
    below = bottom - top - inside.shape[0] - above
    behind = right - left - inside.shape[1] - before
    if not (above or before or below > 0 or behind > 0):
        return inside
    # A rectangle fully outside repeats the nearest row or column.
    above, before = min(above, bottom - top - 1), min(before, right - left - 1)
    below, behind = bottom - top - inside.shape[0] - above, right - left - inside.shape[1] - before
    return cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE)  # type: ignore[return-value]
