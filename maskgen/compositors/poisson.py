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

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.compositors.overlay import laid_over
from maskgen.look import FaceLook
from maskgen.records import Composite, Image, Layer
from maskgen.reduced import cut

_REACH = 0.06  # of the eye distance: how far the cloned region goes past the template's edge
# How much of the light on the covered skin is drawn into the source: a boundary alone does not know that the
# middle of a face is lit otherwise than its outline.
_COVERED = 0.85
_SEEN = 24  # alpha from which on a reduced pixel counts as covered
_BORDER = 2  # pixels around the region, which may not touch the patch's border
_LEVELS = 255.0 / np.log(256.0)  # grey levels of the 8-bit logarithm for one natural logarithm


def poisson(image: Image, layer: Layer, look: FaceLook) -> Composite:
    """Composite ``layer`` into ``image`` by seamless cloning; the light is that of the look's own image."""
    if not layer.alpha.any():
        return Composite(image[layer.window], layer.alpha, layer.origin)
    gain = membrane(layer, look)
    # Half a grey level is added before and taken off after, as `Light` counts logarithms of 1 more.
    lit = cv2.multiply(layer.bgr, gain, dtype=cv2.CV_32F)
    lit = cv2.add(lit, gain - np.float32(1), dtype=cv2.CV_8U)
    bgr = laid_over(image, replace(layer, bgr=np.asarray(lit, np.uint8)))
    return Composite(bgr, layer.alpha, layer.origin, layer.shadow)


def membrane(layer: Layer, look: FaceLook) -> NDArray[np.float32]:
    """How the light varies over the layer, continued from its boundary.

    Returns:
        (height, width, 3) float32 gains for the layer's pixels, around 1.
    """
    light, part = look.light, look.light.part
    (left, top), (height, width) = layer.origin, layer.alpha.shape
    eye = look.landmarks.eye_distance / part.step
    reach = max(1, round(_REACH * eye))
    # The layer's rectangle among the light's pixels, and around it room for the boundary.
    room = reach + max(2, round(0.2 * eye)) + _BORDER
    x, y = ((a - b) // part.step for a, b in zip((left, top), part.corner, strict=True))
    columns = (left + width - 1 - part.corner[0]) // part.step + 1 - x
    rows = (top + height - 1 - part.corner[1]) // part.step + 1 - y
    target = cut(light.log_bgr, x - room, y - room, x + columns + room, y + rows + room) * np.float32(_LEVELS)
    region = np.zeros(target.shape[:2], np.uint8)
    region[room : room + rows, room : room + columns] = _seen(layer.alpha, columns, rows)
    region = np.asarray(cv2.dilate(region, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)
    if not region.any():
        return np.ones((height, width, 3), np.float32)
    edge = cv2.dilate(region, np.ones((3, 3), np.uint8)) - region
    mean = np.round(cv2.mean(target, edge)[:3]).astype(np.float32)
    source, destination = (
        np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)
        for values in (mean + np.float32(_COVERED) * (target - mean), target)
    )
    across, down, w, h = cv2.boundingRect(region)
    middle = (across + w // 2, down + h // 2)
    cloned = cv2.seamlessClone(source, destination, region.copy(), middle, cv2.NORMAL_CLONE)
    # Eight bits of logarithm are steps of 2 %; smoothing takes them away, as the membrane has no edges.
    added = cv2.GaussianBlur(cloned.astype(np.float32) - mean, (0, 0), 1.2)
    gain = np.asarray(cv2.exp(added / np.float32(_LEVELS)), np.float32)
    corner = part.corner[0] + (x - room) * part.step, part.corner[1] + (y - room) * part.step
    return replace(part, corner=corner).back(gain, (left, top, width, height))


def _seen(alpha: Image, columns: int, rows: int) -> Image:
    """(rows, columns) uint8: 255 where the reduced alpha counts as covered."""
    small = cv2.resize(alpha, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.threshold(small, _SEEN, 255, cv2.THRESH_BINARY)[1], np.uint8)
