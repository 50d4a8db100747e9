"""Overlay: the layer laid over the image by its alpha.

Every pixel is a weighted mean of the layer's colour and the image's, so it lies between the two: an
edge can neither glow nor darken beyond its neighbours.
"""

from __future__ import annotations

import numpy as np

from maskgen.jit import compiled
from maskgen.masking.face.context import FaceContext
from maskgen.records import Composite, Image, Layer


def blend(image: Image, layer_bgr: Image, alpha: Image) -> Image:
    """``alpha * layer + (1 - alpha) * image``, rounded, for arrays of one size.

    Args:
        image: (height, width, 3) uint8.
        layer_bgr: (height, width, 3) uint8, straight colour.
        alpha: (height, width) uint8, 255 is opaque.
    """
    return _laid_over(image, 0, 0, layer_bgr, alpha, alpha, False)


def laid_over(image: Image, layer: Layer) -> Image:
    """The layer's rectangle of the image, darkened by the layer's shadow, under the layer."""
    x, y = layer.origin
    bgr, alpha = np.ascontiguousarray(layer.bgr), np.ascontiguousarray(layer.alpha)
    if layer.shadow is None:
        return _laid_over(np.ascontiguousarray(image), x, y, bgr, alpha, alpha, False)
    shadow = np.ascontiguousarray(layer.shadow)
    return _laid_over(np.ascontiguousarray(image), x, y, bgr, alpha, shadow, True)


@compiled
def _laid_over(
    image: Image, left: int, top: int, bgr: Image, alpha: Image, shadow: Image, darkens: bool
) -> Image:
    """(height, width, 3) uint8: the layer over the image from (left, top) on.

    Args:
        image: (rows, columns, 3) uint8 that holds all of the layer.
        left: Where the layer begins in it.
        top: Likewise from above.
        bgr: (height, width, 3) uint8.
        alpha: (height, width) uint8.
        shadow: (height, width) uint8.
        darkens: Whether the shadow is looked at.
    """
    height, width = alpha.shape
    made = np.empty((height, width, 3), np.uint8)
    for row in range(height):
        under = image[top + row, left : left + width]
        for column in range(width):
            over = np.int32(alpha[row, column])
            light = np.int32(255 - shadow[row, column]) if darkens else np.int32(255)
            if over == 255:
                for channel in range(3):
                    made[row, column, channel] = bgr[row, column, channel]
            elif over == 0 and light == 255:
                for channel in range(3):
                    made[row, column, channel] = under[column, channel]
            else:
                for channel in range(3):
                    # Divided by 255 and rounded, without a division.
                    dark = np.int32(under[column, channel] * light + 128)
                    dark = np.int32((dark + (dark >> 8)) >> 8)
                    mixed = np.int32(over * bgr[row, column, channel] + (255 - over) * dark + 128)
                    made[row, column, channel] = (mixed + (mixed >> 8)) >> 8
    return made


def overlay(image: Image, layer: Layer, look: FaceContext) -> Composite:
    """Composite ``layer`` over ``image``; the look is not needed, but every compositor gets it."""
    return Composite(laid_over(image, layer), layer.alpha, layer.origin, layer.shadow)
