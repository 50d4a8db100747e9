"""Poisson blending: seamless cloning that keeps the template's colour and takes the face's light.

`cv2.seamlessClone` (Perez, Gangnet and Blake, "Poisson Image Editing", 2003) computes the image that has the
source's gradients and equals the destination on the region's boundary. Used directly, it turns a blue mask
skin-brown, because the boundary is skin. Two changes prevent that:

- The source is the template over one colour, the boundary's mean light, and the region extends past the
  template's edge. The boundary then adds only the variation of the light around that mean.
- Light multiplies, so the cloning works on logarithms. A sum of logarithms is a gain.

Cloning is linear, so the template can be left out of the source and multiplied by the gain afterwards. The
template stays sharp and is never clipped, and the light alone is cloned at reduced size.

Quirks of `seamlessClone`, handled here: it writes into the mask it is given (it gets its own); it places the
middle of the mask's bounding rectangle at the given point; it raises if the region leaves the destination and
ignores an empty mask (the patch always has room, the mask is never empty).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.compositors.membrane import apply_gain, clone_to_gain, patch_of
from maskgen.masking.compositors.overlay import overlay
from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.downscaled import upsample
from maskgen.records import Composite, Image, Layer

_REACH = 0.06  # how far the cloned region extends past the template's edge, in eye distances
# Share of the variation of light on the covered skin that the source keeps: the boundary alone does not
# contain the light in the middle of the face.
_VARIATION = 0.85
# Room between the region and the patch's border, in pixels and in eye distances. The light just outside the
# region influences the clone.
_BORDER, _AROUND = 4, 0.2


def poisson(image: Image, layer: Layer, context: FaceContext) -> Composite:
    """Composite a layer into an image by seamless cloning; the light is that of the context's image."""
    if not layer.alpha.any():
        return Composite(image[layer.window], layer.alpha, layer.origin)
    return overlay(image, replace(layer, bgr=apply_gain(layer.bgr, membrane(layer, context))), context)


def membrane(layer: Layer, context: FaceContext) -> NDArray[np.float32]:
    """Interpolate the variation of light over the layer from its boundary.

    Returns:
        (height, width, 3) float32 gains for the layer's pixels, around 1.
    """
    light, part = context.light, context.light.part
    (x, y), (left, top) = layer.origin, part.corner
    height, width = layer.alpha.shape
    eye = context.landmarks.eye_distance / part.step
    reach, border = max(1, round(_REACH * eye)), _BORDER + round(_AROUND * eye)
    patch = patch_of(light.log_bgr, layer.alpha, (x - left, y - top), part.step, reach, border, _VARIATION)
    if patch is None:
        return np.ones((height, width, 3), np.float32)
    across, down, wide, high = cv2.boundingRect(patch.region)
    middle = (across + wide // 2, down + high // 2)
    # OpenCV writes into the mask, so nothing reads the region afterwards.
    cloned = cv2.seamlessClone(patch.source, patch.destination, patch.region, middle, cv2.NORMAL_CLONE)
    gain = clone_to_gain(np.asarray(cloned, np.uint8), patch.mean)
    corner = left + patch.corner[0] * part.step, top + patch.corner[1] * part.step
    return upsample(gain, corner, part.step, (x, y, width, height))
