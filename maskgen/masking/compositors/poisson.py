"""Poisson blending: seamless cloning that keeps the template's colour and takes the face's light.

`cv2.seamlessClone` (Perez, Gangnet and Blake, "Poisson Image Editing", 2003) computes the image that has the
source's gradients and equals the destination on the region's boundary. Used directly, it turns a blue mask
skin-brown, because the boundary is skin. Two changes prevent that:

- The source is the template over one colour, the boundary's mean light, and the region extends past the
  template's edge. The boundary then adds only the variation of the light around that mean.
- Light multiplies, so the cloning works on logarithms. A sum of logarithms is a gain.

Cloning is linear, so the template can be left out of the source and multiplied by the gain afterwards. The
template stays sharp and is never clipped, and the light alone is cloned at the size of the downscaled image.

Quirks of `seamlessClone`, handled here: it takes bytes (the logarithms are scaled to 0..255); it writes into
the mask it is given (it gets its own); it places the middle of the mask's bounding rectangle at the given
point; it raises if the region leaves the destination and ignores an empty mask (the patch always has room,
the mask is never empty).
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.compositors.overlay import overlay
from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.downscaled import crop, upsample
from maskgen.records import Composite, Image, Layer

Floats = NDArray[np.float32]

_REACH = 0.06  # how far the cloned region extends past the template's edge, in eye distances
# Share of the variation of light on the covered skin that the source keeps: the boundary alone does not
# contain the light in the middle of the face.
_VARIATION = np.float32(0.85)
# Room between the region and the patch's border, in downscaled pixels; the smoothing reads the light there.
_BORDER = 5
_COVERED = 24  # mean alpha above which a downscaled pixel counts as covered

_LEVELS = np.float32(255.0 / math.log(256.0))  # grey levels of the 8-bit logarithm for one natural logarithm
_SMOOTHING = 1.2  # pixels: smooths the 2 % steps of an 8-bit logarithm
# Gains of the differences from -128 to 128 grey levels, in 256ths.
_GAINS = np.exp((np.arange(1 << 16) - (1 << 15)) / (256 * float(_LEVELS))).astype(np.float32)


def poisson(image: Image, layer: Layer, context: FaceContext) -> Composite:
    """Composite a layer into an image by seamless cloning; the light is that of the context's image."""
    if not layer.alpha.any():
        return Composite(image[layer.window], layer.alpha, layer.origin)
    bgr = np.asarray(cv2.multiply(layer.bgr, membrane(layer, context), dtype=cv2.CV_8U), np.uint8)
    return overlay(image, replace(layer, bgr=bgr), context)


def membrane(layer: Layer, context: FaceContext) -> Floats:
    """Interpolate the variation of light over the layer from its boundary.

    Returns:
        (height, width, 3) float32 gains for the layer's pixels, around 1.
    """
    part, (x, y), (height, width) = context.light.part, layer.origin, layer.alpha.shape
    covered, left, top = _covered(layer.alpha, (x - part.corner[0], y - part.corner[1]), part.step)
    across, down, wide, high = cv2.boundingRect(covered)
    if not wide:
        return np.ones((height, width, 3), np.float32)
    reach = max(1, round(_REACH * context.landmarks.eye_distance / part.step))
    inset = reach + _BORDER
    covered = covered[down : down + high, across : across + wide]
    padded = cv2.copyMakeBorder(covered, *[inset] * 4, cv2.BORDER_CONSTANT, value=[0])
    region = np.asarray(cv2.dilate(padded, np.ones((2 * reach + 1,) * 2, np.uint8)), np.uint8)
    left, top = left + across - inset, top + down - inset
    light = crop(context.light.log_bgr, left, top, left + region.shape[1], top + region.shape[0]) * _LEVELS
    beside = cv2.subtract(cv2.dilate(region, np.ones((3, 3), np.uint8)), region)
    mean = np.rint(cv2.mean(light, beside)[:3]).astype(np.float32)
    source = np.rint(mean + _VARIATION * (light - mean)).astype(np.uint8)
    corner = part.corner[0] + left * part.step, part.corner[1] + top * part.step
    gain = _clone(source, np.rint(light).astype(np.uint8), region, mean)
    return upsample(gain, corner, part.step, (x, y, width, height))


def _covered(alpha: Image, offset: tuple[int, int], step: int) -> tuple[Image, int, int]:
    """(h, w) uint8, 255 where a downscaled pixel is covered; and its left and top in the downscaled image.

    alpha: (height, width) of the layer; offset: (x, y) from the downscaled image's corner, in image pixels.
    """
    (left, before), (top, above) = (divmod(start, step) for start in offset)
    after, below = -(before + alpha.shape[1]) % step, -(above + alpha.shape[0]) % step
    whole = cv2.copyMakeBorder(alpha, above, below, before, after, cv2.BORDER_CONSTANT, value=[0])
    size = whole.shape[1] // step, whole.shape[0] // step
    mean = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.threshold(mean, _COVERED, 255, cv2.THRESH_BINARY)[1], np.uint8), left, top


def _clone(source: Image, light: Image, region: Image, mean: Floats) -> Floats:
    """(height, width, 3) float32 gains: the smoothed difference of the clone from the mean.

    source, light: (height, width, 3) 8-bit logarithms; region: (height, width), overwritten; mean: (3,).
    """
    across, down, wide, high = cv2.boundingRect(region)
    cloned = cv2.seamlessClone(
        source, light, region, (across + wide // 2, down + high // 2), cv2.NORMAL_CLONE
    )
    # In 16 bits, because the blur of integers is the same on every processor.
    fine = cloned.astype(np.uint16) << 8
    fine = cv2.GaussianBlur(fine, (9, 9), _SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    middle = [(1 << 15) - 256 * level for level in mean.tolist()]
    return _GAINS[cv2.add(fine, (*middle, 0))]
