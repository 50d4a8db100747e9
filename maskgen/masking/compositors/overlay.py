"""Overlay: alpha blending of a layer over an image.

Every pixel is a weighted mean of the layer's colour and the image's. It lies between the two, so an edge can
neither glow nor be darker than its neighbours.
"""

import numpy as np

from maskgen.jit import compiled
from maskgen.masking.face.context import FaceContext
from maskgen.records import Composite, Image, Layer


def blend(image: Image, layer_bgr: Image, alpha: Image) -> Image:
    """``alpha * layer + (1 - alpha) * image``, rounded.

    image, layer_bgr: (height, width, 3) uint8, straight colour; alpha: (height, width) uint8.
    """
    return _blend_over(
        np.ascontiguousarray(image), 0, 0, np.ascontiguousarray(layer_bgr), alpha, alpha, False
    )


def overlay(image: Image, layer: Layer, context: FaceContext) -> Composite:
    """Darken an image by the layer's shadow and blend the layer over it; the context is not used."""
    x, y = layer.origin
    bgr, alpha = np.ascontiguousarray(layer.bgr), np.ascontiguousarray(layer.alpha)
    shadow = alpha if layer.shadow is None else np.ascontiguousarray(layer.shadow)
    has_shadow = layer.shadow is not None
    blended = _blend_over(np.ascontiguousarray(image), x, y, bgr, alpha, shadow, has_shadow)
    return Composite(blended, layer.alpha, layer.origin, layer.shadow)


@compiled
def _blend_over(
    image: Image, left: int, top: int, bgr: Image, alpha: Image, shadow: Image, has_shadow: bool
) -> Image:
    """image: (rows, columns, 3), the layer at (left, top); bgr: (height, width, 3); alpha, shadow: planes."""
    height, width = alpha.shape
    blended = np.empty((height, width, 3), np.uint8)
    for row in range(height):
        under = image[top + row, left : left + width]
        for column in range(width):
            over = np.int32(alpha[row, column])
            light = np.int32(255 - shadow[row, column]) if has_shadow else np.int32(255)
            if over == 255:
                for channel in range(3):
                    blended[row, column, channel] = bgr[row, column, channel]
            elif over == 0 and light == 255:
                for channel in range(3):
                    blended[row, column, channel] = under[column, channel]
            else:
                for channel in range(3):
                    # Rounded division by 255 without a division.
                    dark = np.int32(under[column, channel] * light + 128)
                    dark = np.int32((dark + (dark >> 8)) >> 8)
                    mixed = np.int32(over * bgr[row, column, channel] + (255 - over) * dark + 128)
                    blended[row, column, channel] = (mixed + (mixed >> 8)) >> 8
    return blended
