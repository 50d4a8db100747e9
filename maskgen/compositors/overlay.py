"""Overlay: the layer laid over the image by its alpha.

Every pixel is a weighted mean of the layer's colour and the image's, so it lies between the two: an
edge can neither glow nor darken beyond its neighbours.
"""

from __future__ import annotations

import numpy as np

from maskgen.records import Composite, Image, Landmarks, Layer


def blend(image: Image, layer_bgr: Image, alpha: Image) -> Image:
    """``alpha * layer + (1 - alpha) * image``, rounded, for arrays of one size.

    Args:
        image: (height, width, 3) uint8.
        layer_bgr: (height, width, 3) uint8, straight colour.
        alpha: (height, width) uint8, 255 is opaque.
    """
    weight = alpha[:, :, None].astype(np.uint16)
    mixed = image * (255 - weight) + layer_bgr * weight + np.uint16(128)
    # (v + 128 + (v + 128) / 256) / 256 is v / 255, rounded, for every v that occurs, and stays in 16 bits.
    return np.asarray((mixed + (mixed >> 8)) >> 8, np.uint8)


def shaded(image: Image, layer: Layer) -> Image:
    """The layer's rectangle of the image, darkened by the layer's shadow; a view of it if there is none."""
    under = image[layer.window]
    if layer.shadow is None:
        return under
    return blend(under, np.zeros_like(under), layer.shadow)


def overlay(image: Image, layer: Layer, landmarks: Landmarks) -> Composite:
    """Composite ``layer`` over ``image``; the landmarks are not needed, but every compositor gets them."""
    bgr = blend(shaded(image, layer), layer.bgr, layer.alpha)
    return Composite(bgr, layer.alpha, layer.origin, layer.shadow)
