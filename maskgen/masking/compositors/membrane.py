"""The small images that are cloned, and what is made of the clone.

Light is held as natural logarithms in the downscaled image; `seamlessClone` takes bytes, so that they are
scaled to 0..255 on the way there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.face.downscaled import cut
from maskgen.records import Image

Floats = NDArray[np.float32]

_LEVELS = np.float32(255.0 / math.log(256.0))  # grey levels of the 8-bit logarithm for one natural logarithm
_SEEN = 24  # mean alpha above which a downscaled pixel counts as covered
_SMOOTHING = 1.2  # pixels: eight bits of logarithm are steps of 2 %, which a membrane does not have


@dataclass(frozen=True, eq=False)
class Patch:
    """What `cv2.seamlessClone` is given for a layer.

    Attributes:
        source: (height, width, 3) uint8 in logarithms, as the destination.
        destination: (height, width, 3) uint8.
        region: (height, width) uint8: 255 where the source is cloned; its border pixels are 0.
        mean: (3,) float32: the mean colour along the region's outside, in whole grey levels.
        corner: (x, y) of the patch in the downscaled image.
    """

    source: Image
    destination: Image
    region: Image
    mean: Floats
    corner: tuple[int, int]


def patch_of(
    light: Floats, alpha: Image, offset: tuple[int, int], step: int, reach: int, border: int, covered: float
) -> Patch | None:
    """The patch around a layer; None where the layer covers nothing.

    Args:
        light: (h, w, 3) float32 logarithms of the downscaled image's light; it goes on beyond its border.
        alpha: (height, width) uint8 of the layer.
        offset: (x, y) of the layer from the downscaled image's corner, in pixels of the image.
        step: Image pixels for one of the downscaled image's.
        reach: How far the region goes past what the layer covers, in downscaled pixels.
        border: How far the patch goes past the region.
        covered: How much of the light's variation inside the region the source has.
    """
    seen, left, top = _covered(alpha, offset, step)
    x, y, width, height = cv2.boundingRect(seen)
    if not width:
        return None
    inset = reach + border
    covers = np.pad(seen[y : y + height, x : x + width], inset)
    region = np.asarray(cv2.dilate(covers, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)
    x0, y0 = left + x - inset, top + y - inset
    target = cut(light, x0, y0, x0 + region.shape[1], y0 + region.shape[0]) * _LEVELS
    beside = (cv2.dilate(region, np.ones((3, 3), np.uint8)) > 0) & (region == 0)
    mean = np.round(target[beside].mean(axis=0, dtype=np.float64)).astype(np.float32)
    source = _to_bytes(mean + np.float32(covered) * (target - mean))
    return Patch(source, _to_bytes(target), region, mean, (x0, y0))


def _covered(alpha: Image, offset: tuple[int, int], step: int) -> tuple[Image, int, int]:
    """(h, w) uint8, 255 where a downscaled pixel is covered; and its first column and row there."""
    left, top = offset[0] // step, offset[1] // step
    before, above = offset[0] - left * step, offset[1] - top * step
    after, below = -(before + alpha.shape[1]) % step, -(above + alpha.shape[0]) % step
    whole = np.pad(alpha, ((above, below), (before, after)))
    size = whole.shape[1] // step, whole.shape[0] // step
    mean = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return np.where(mean > _SEEN, 255, 0).astype(np.uint8), left, top


def _to_bytes(values: Floats) -> Image:
    return np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)


def gain_of(cloned: Image, mean: Floats) -> Floats:
    """(height, width, 3) float32 gains that a clone means: its difference from the mean, smoothed."""
    # Of 16 bits, the blur of integers is the same on every processor.
    fine = cv2.GaussianBlur(
        cloned.astype(np.uint16) << 8, (9, 9), _SMOOTHING, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.exp((fine / 256.0 - mean) / _LEVELS), np.float32)


def lit(bgr: Image, gain: Floats) -> Image:
    """(height, width, 3) uint8 colours under (height, width, 3) float32 gains.

    A grey level is added before and taken off after, as `maskgen.masking.face.light.Light` counts logarithms
    of 1 more.
    """
    return np.clip((bgr + np.float32(1)) * gain - np.float32(0.5), 0, 255).astype(np.uint8)
