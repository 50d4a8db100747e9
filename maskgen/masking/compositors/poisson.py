"""Poisson: seamless cloning that keeps the template's colour and takes the face's light.

`cv2.seamlessClone` (Perez, Gangnet and Blake, "Poisson Image Editing", 2003) finds the image that has the
source's gradients and meets the destination on the region's boundary. Used plainly, it turns a blue mask
skin-brown, since the boundary asks for skin there. Two things mend that:

- The source is the template over one colour, the boundary's mean light, and the region reaches past the
  template's edge. What the boundary then adds is only how the light varies around that mean.
- Light multiplies. So the cloning is done on logarithms, and what it adds there is a gain.

As cloning is linear, the template may be left out of the source and multiplied by the result afterwards: it
then stays at full sharpness, is never clipped, and the cloning, of light alone, may be done at reduced size.

Quirks of `seamlessClone`, contained here: it writes into the mask it is given (it gets its own); it puts the
middle of the mask's bounding rectangle at the given point; it raises when the region leaves the
destination and answers an empty mask with silence (the patch always has room, the mask is never empty).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.compositors.membrane import gain_of, lit, patch_of
from maskgen.masking.compositors.overlay import overlay
from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.downscaled import enlarge
from maskgen.records import Composite, Image, Layer

_REACH = 0.06  # of the eye distance: how far the cloned region goes past the template's edge
# How much of the light on the covered skin is drawn into the source: a boundary alone does not know that the
# middle of a face is lit otherwise than its outline.
_COVERED = 0.85
# Pixels between the region and the patch's border, which it may not touch; and as a share of the eye
# distance, since the light just outside has its part in what is cloned.
_BORDER, _AROUND = 4, 0.2


def poisson(image: Image, layer: Layer, look: FaceContext) -> Composite:
    """Composite ``layer`` into ``image`` by seamless cloning; the light is that of the look's own image."""
    if not layer.alpha.any():
        return Composite(image[layer.window], layer.alpha, layer.origin)
    return overlay(image, replace(layer, bgr=lit(layer.bgr, membrane(layer, look))), look)


def membrane(layer: Layer, look: FaceContext) -> NDArray[np.float32]:
    """How the light varies over the layer, continued from its boundary.

    Returns:
        (height, width, 3) float32 gains for the layer's pixels, around 1.
    """
    light, part = look.light, look.light.part
    (x, y), (left, top) = layer.origin, part.corner
    height, width = layer.alpha.shape
    eye = look.landmarks.eye_distance / part.step
    reach, border = max(1, round(_REACH * eye)), _BORDER + round(_AROUND * eye)
    patch = patch_of(light.log_bgr, layer.alpha, (x - left, y - top), part.step, reach, border, _COVERED)
    if patch is None:
        return np.ones((height, width, 3), np.float32)
    across, down, wide, high = cv2.boundingRect(patch.region)
    middle = (across + wide // 2, down + high // 2)
    # OpenCV writes into the mask, so nothing reads the region afterwards.
    cloned = cv2.seamlessClone(patch.source, patch.destination, patch.region, middle, cv2.NORMAL_CLONE)
    gain = gain_of(np.asarray(cloned, np.uint8), patch.mean)
    corner = left + patch.corner[0] * part.step, top + patch.corner[1] * part.step
    return enlarge(gain, corner, part.step, (x, y, width, height))
