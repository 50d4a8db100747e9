"""Poisson: seamless cloning that keeps the template's colour and takes the face's light.

`cv2.seamlessClone` (Perez, Gangnet and Blake, "Poisson Image Editing", 2003) finds the picture that has the
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

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.compositors.overlay import blend, shaded
from maskgen.light import skin_light
from maskgen.records import Composite, Image, Landmarks, Layer

_REACH = 0.06  # of the eye distance: how far the cloned region goes past the template's edge
# How much of the light on the covered skin is drawn into the source: a boundary alone does not know that the
# middle of a face is lit otherwise than its outline.
_COVERED = 0.85
_LEVELS = 255.0 / np.log(256.0)  # grey levels of the 8-bit logarithm for one natural logarithm


def poisson(image: Image, layer: Layer, landmarks: Landmarks) -> Composite:
    """Composite ``layer`` into ``image`` by seamless cloning."""
    if not layer.alpha.any():
        return Composite(image[layer.window], layer.alpha, layer.origin)
    gain = membrane(image, layer, landmarks)
    lit = np.minimum((layer.bgr + 1.0) * gain - 0.5, 255.0).astype(np.uint8)
    bgr = blend(shaded(image, layer), lit, layer.alpha)
    return Composite(bgr, layer.alpha, layer.origin, layer.shadow)


def membrane(image: Image, layer: Layer, landmarks: Landmarks) -> NDArray[np.float32]:
    """How the light varies over the layer, continued from its boundary.

    Returns:
        (height, width, 3) float32 gains for the layer's pixels, around 1.
    """
    (left, top), (height, width) = layer.origin, layer.alpha.shape
    reach = max(2, round(_REACH * landmarks.eye_distance))
    room = reach + max(4, round(0.2 * landmarks.eye_distance))
    box = (left - room, top - room, width + 2 * room, height + 2 * room)
    light = skin_light(image, landmarks, box)
    rows, columns = light.log_bgr.shape[:2]
    # A few pixels more on every side, as the region may not touch the patch's border.
    target = cv2.copyMakeBorder(light.log_bgr * _LEVELS, 3, 3, 3, 3, cv2.BORDER_REPLICATE)
    padded = np.zeros((height + 2 * room, width + 2 * room), np.uint8)
    padded[room:-room, room:-room] = layer.alpha
    wide = cv2.dilate(padded, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    small = cv2.resize(wide, (columns, rows), interpolation=cv2.INTER_AREA)
    region = np.pad(np.where(small > 24, 255, 0).astype(np.uint8), 3)
    if not region.any():
        return np.ones((height, width, 3), np.float32)
    edge = (cv2.dilate(region, np.ones((3, 3), np.uint8)) > 0) & (region == 0)
    mean = np.round(target[edge].mean(axis=0))
    source = np.clip(np.round(mean + _COVERED * (target - mean)), 0, 255).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(region)
    destination = np.clip(np.round(target), 0, 255).astype(np.uint8)
    cloned = cv2.seamlessClone(
        np.ascontiguousarray(source), destination, region.copy(), (x + w // 2, y + h // 2), cv2.NORMAL_CLONE
    )
    added = (cloned.astype(np.float32) - mean.astype(np.float32))[3:-3, 3:-3]
    # Eight bits of logarithm are steps of 2 %; smoothing takes them away, as the membrane has no edges.
    added = cv2.GaussianBlur(added, (0, 0), 1.5)
    whole = cv2.resize(added, (width + 2 * room, height + 2 * room), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.exp(whole[room:-room, room:-room] / _LEVELS), np.float32)
