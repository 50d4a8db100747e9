"""The light membrane of Poisson cloning: the small images to clone, and the gains of the result.

Light is stored as natural logarithms in the downscaled image. `seamlessClone` takes bytes, so the logarithms
are scaled to 0..255.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.face.downscaled import crop
from maskgen.records import Image

Floats = NDArray[np.float32]

_LEVELS = np.float32(255.0 / math.log(256.0))  # grey levels of the 8-bit logarithm for one natural logarithm
_COVERED = 24  # mean alpha above which a downscaled pixel counts as covered
_SMOOTHING = 1.2  # pixels: smooths the 2 % steps of an 8-bit logarithm


@dataclass(frozen=True, eq=False)
class Patch:
    """The input of `cv2.seamlessClone` for a layer.

    Attributes:
        source: (height, width, 3) uint8 logarithms.
        destination: (height, width, 3) uint8 logarithms.
        region: (height, width) uint8: 255 where the source is cloned; its border pixels are 0.
        mean: (3,) float32: mean colour just outside the region, in whole grey levels.
        corner: (x, y) of the patch in the downscaled image.
    """

    source: Image
    destination: Image
    region: Image
    mean: Floats
    corner: tuple[int, int]


def patch_of(
    light: Floats, alpha: Image, offset: tuple[int, int], step: int, reach: int, border: int, variation: float
) -> Patch | None:
    """The patch around a layer; None if the layer covers nothing.

    Args:
        light: (h, w, 3) float32 logarithms of the downscaled image's light; outside, its border is repeated.
        alpha: (height, width) uint8 of the layer.
        offset: (x, y) of the layer from the downscaled image's corner, in pixels of the image.
        step: Image pixels for one of the downscaled image's.
        reach: Width of the region around the covered pixels, in downscaled pixels.
        border: Width of the patch around the region, in downscaled pixels.
        variation: Share of the light's variation inside the region that the source keeps.
    """
    covered, left, top = _covered(alpha, offset, step)
    x, y, width, height = cv2.boundingRect(covered)
    if not width:
        return None
    inset = reach + border
    padded = np.pad(covered[y : y + height, x : x + width], inset)
    region = np.asarray(cv2.dilate(padded, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)
    x0, y0 = left + x - inset, top + y - inset
    target = crop(light, x0, y0, x0 + region.shape[1], y0 + region.shape[0]) * _LEVELS
    beside = (cv2.dilate(region, np.ones((3, 3), np.uint8)) > 0) & (region == 0)
    mean = np.round(target[beside].mean(axis=0, dtype=np.float64)).astype(np.float32)
    source = _to_bytes(mean + np.float32(variation) * (target - mean))
    return Patch(source, _to_bytes(target), region, mean, (x0, y0))


def _covered(alpha: Image, offset: tuple[int, int], step: int) -> tuple[Image, int, int]:
    """(h, w) uint8, 255 where a downscaled pixel is covered; and its left and top in the downscaled image."""
    left, top = offset[0] // step, offset[1] // step
    before, above = offset[0] - left * step, offset[1] - top * step
    after, below = -(before + alpha.shape[1]) % step, -(above + alpha.shape[0]) % step
    whole = np.pad(alpha, ((above, below), (before, after)))
    size = whole.shape[1] // step, whole.shape[0] // step
    mean = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return np.where(mean > _COVERED, 255, 0).astype(np.uint8), left, top


def _to_bytes(values: Floats) -> Image:
    return np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)


def clone_to_gain(cloned: Image, mean: Floats) -> Floats:
    """(height, width, 3) float32 gains from a clone: its smoothed difference from the mean."""
    # In 16 bits, because the blur of integers is the same on every processor.
    fine = cv2.GaussianBlur(
        cloned.astype(np.uint16) << 8, (9, 9), _SMOOTHING, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.exp((fine / 256.0 - mean) / _LEVELS), np.float32)


def apply_gain(bgr: Image, gain: Floats) -> Image:
    """(height, width, 3) uint8 colours multiplied by (height, width, 3) float32 gains.

    One grey level is added before and subtracted after, because `maskgen.masking.face.light.Light` stores
    logarithms of BGR + 1.
    """
    return np.clip((bgr + np.float32(1)) * gain - np.float32(0.5), 0, 255).astype(np.uint8)
