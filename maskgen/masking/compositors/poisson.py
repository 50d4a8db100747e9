"""Poisson blending: seamless cloning that keeps the template's colour and takes the face's light.

`cv2.seamlessClone` (Perez, Gangnet and Blake, "Poisson Image Editing", 2003) computes the image that has the
source's gradients and equals the destination on the region's boundary. Used directly, it turns a blue mask
skin-brown, because the boundary is skin. Two changes prevent that:

- The source is the template over one colour, the boundary's mean light, and the region extends past the
  template's edge. The boundary then adds only the variation of the light around that mean.
- Light multiplies, so the cloning works on logarithms. A sum of logarithms is a gain. Its mean over the mask
  is taken off: how bright a mask is does not depend on the skin that it covers.

Cloning is linear, so the template can be left out of the source and multiplied by the gain afterwards. The
template stays sharp and is never clipped. Only one colour is cloned, at reduced size: the light inside the
region, of which the result keeps a share, needs no cloning either.

Quirks of `seamlessClone`, handled here: it takes bytes (the logarithms are scaled to 0..255); it writes into
the mask it is given (it gets its own); it places the middle of the mask's bounding rectangle at the given
point; it raises if the region leaves the destination and ignores an empty mask (the patch always has room,
the mask is never empty).
"""

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

# Share of the variation of light on the covered skin that is kept: the boundary alone does not contain the
# light in the middle of the face.
_VARIATION = np.float32(0.85)
_BORDER = 6  # downscaled pixels between the region and the patch's border
_COVERED = 24  # mean alpha above which a downscaled pixel counts as covered
_SQUARE = np.ones((3, 3), np.uint8)

_LEVELS = np.float32(255.0 / math.log(256.0))  # grey levels of the 8-bit logarithm for one natural logarithm
# Gains of the logarithms from -4 to 4. In 64 bits: numpy's 32-bit exponential differs between processors.
_STEPS = np.float32(8192)
_GAINS = np.exp((np.arange(1 << 16) - (1 << 15)) / float(_STEPS)).astype(np.float32)


def poisson(image: Image, layer: Layer, context: FaceContext) -> Composite:
    """Composite a layer into an image by seamless cloning; the light is that of the context's image."""
    if not layer.alpha.any():
        return Composite(image[layer.window], layer.alpha, layer.origin)
    bgr = np.asarray(cv2.multiply(layer.bgr, membrane(layer, context), dtype=cv2.CV_8U), np.uint8)
    return overlay(image, replace(layer, bgr=bgr), context)


def membrane(layer: Layer, context: FaceContext) -> Floats:
    """(height, width, 3) float32 gains around 1: the variation of light over the layer, from its boundary."""
    part, (x, y), (height, width) = context.light.part, layer.origin, layer.alpha.shape
    covered, left, top = _covered(layer.alpha, (x - part.corner[0], y - part.corner[1]), part.step)
    across, down, wide, high = cv2.boundingRect(covered)
    if not wide:
        return np.ones((height, width, 3), np.float32)
    covered = covered[down : down + high, across : across + wide]
    # Even sides, so that the patch can be halved.
    right, below = _BORDER + wide % 2, _BORDER + high % 2
    padded = cv2.copyMakeBorder(covered, _BORDER, below, _BORDER, right, cv2.BORDER_CONSTANT, value=[0])
    region = np.asarray(cv2.dilate(padded, _SQUARE), np.uint8)
    beside = cv2.subtract(cv2.dilate(region, _SQUARE), region)
    left, top, (high, wide) = left + across - _BORDER, top + down - _BORDER, region.shape
    light = crop(context.light.log_bgr, left, top, left + wide, top + high)
    mean = np.rint(np.array(cv2.mean(light, beside)[:3]) * _LEVELS).astype(np.float32) / _LEVELS
    kept = _VARIATION * light + (np.float32(1) - _VARIATION) * _clone(light, mean, region)
    kept -= np.rint(np.array(cv2.mean(kept, padded)[:3]) * _STEPS).astype(np.float32) / _STEPS
    kept *= np.float32(layer.unlit)
    gain = _GAINS[np.clip(kept * _STEPS + np.float32(1 << 15), 0, (1 << 16) - 1).astype(np.uint16)]
    corner = part.corner[0] + left * part.step, part.corner[1] + top * part.step
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


def _clone(light: Floats, mean: Floats, region: Image) -> Floats:
    """(height, width, 3) float32 logarithms: one colour, cloned into the light at half its size.

    light: (height, width, 3) float32 logarithms, sides are even; mean: (3,), the colour; region: its mask.
    """
    size = light.shape[1] // 2, light.shape[0] // 2
    small = np.rint(cv2.resize(light, size, interpolation=cv2.INTER_AREA) * _LEVELS).astype(np.uint8)
    mask = cv2.threshold(cv2.resize(region, size, interpolation=cv2.INTER_AREA), 127, 255, cv2.THRESH_BINARY)[
        1
    ]
    # `seamlessClone` copies gradients only three pixels inside its mask.
    mask = cv2.dilate(mask, _SQUARE)
    across, down, wide, high = cv2.boundingRect(mask)
    source = np.full_like(small, np.rint(mean * _LEVELS).astype(np.uint8))
    middle = across + wide // 2, down + high // 2
    cloned = cv2.seamlessClone(source, small, mask, middle, cv2.NORMAL_CLONE).astype(np.float32)
    return np.asarray(cv2.resize(cloned, light.shape[1::-1], interpolation=cv2.INTER_LINEAR)) / _LEVELS
