"""Overlay: the layer laid over the image by its alpha.

Every pixel is a weighted mean of the layer's colour and the image's, so it lies between the two: an
edge can neither glow nor darken beyond its neighbours.
"""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.look import FaceLook
from maskgen.records import Composite, Image, Layer


def blend(image: Image, layer_bgr: Image, alpha: Image) -> Image:
    """``alpha * layer + (1 - alpha) * image``, rounded, for arrays of one size.

    Args:
        image: (height, width, 3) uint8.
        layer_bgr: (height, width, 3) uint8, straight colour.
        alpha: (height, width) uint8, 255 is opaque.
    """
    over, under = alpha.astype(np.float32), (255 - alpha).astype(np.float32)
    # Divides by the sum of the weights and rounds: where the alpha is 0 the image's own values come out.
    return np.asarray(cv2.blendLinear(layer_bgr, image, over, under), np.uint8)


def shaded(image: Image, layer: Layer) -> Image:
    """The layer's rectangle of the image, darkened by the layer's shadow; a view of it if there is none."""
    under = image[layer.window]
    if layer.shadow is None:
        return under
    left = 255 - layer.shadow
    return np.asarray(cv2.multiply(under, cv2.merge([left, left, left]), scale=1 / 255), np.uint8)


def overlay(image: Image, layer: Layer, look: FaceLook) -> Composite:
    """Composite ``layer`` over ``image``; the look is not needed, but every compositor gets it."""
    bgr = blend(shaded(image, layer), layer.bgr, layer.alpha)
    return Composite(bgr, layer.alpha, layer.origin, layer.shadow)
