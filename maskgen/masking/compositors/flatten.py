"""Texture flattening of the lower face, the baseline of the first masked-gender papers.

Mosayyebi et al. call `cv2.textureFlattening` "Poisson image editing" and use the smeared skin as a mask. It
needs no template: the layer's alpha is the polygon of the lower face (`maskgen.masking.fits.lower_face`), and
the layer's colour is not used.

Quirks of `textureFlattening`, handled here: it writes into the mask it is given, and it changes pixels
outside that mask, so the result is composited through the alpha. OpenCV does not accept the paper's kernel of
36, only odd kernels from 3 to 7. With 3, hardly an edge reaches the high threshold and all texture
disappears, as in the paper; with 7, nearly all texture would remain.
"""

import cv2
import numpy as np

from maskgen.masking.compositors.overlay import blend
from maskgen.masking.face.context import FaceContext
from maskgen.records import Composite, Image, Layer

_LOW, _HIGH, _KERNEL = 100, 1000, 3
_ROOM = 8  # pixels around the polygon, which must not touch the patch's border


def flatten(image: Image, layer: Layer, context: FaceContext) -> Composite:
    """Flatten the texture of an image under the layer's alpha; the context is not used."""
    if not layer.alpha.any():
        return Composite(image[layer.window], layer.alpha, layer.origin)
    patch = cv2.copyMakeBorder(image[layer.window], _ROOM, _ROOM, _ROOM, _ROOM, cv2.BORDER_REPLICATE)
    region = cv2.copyMakeBorder(
        (layer.alpha > 127).astype(np.uint8) * 255, _ROOM, _ROOM, _ROOM, _ROOM, cv2.BORDER_CONSTANT, value=[0]
    )
    if not region.any():
        return Composite(image[layer.window], np.zeros_like(layer.alpha), layer.origin)
    flat = cv2.textureFlattening(
        patch, region.copy(), low_threshold=_LOW, high_threshold=_HIGH, kernel_size=_KERNEL
    )
    inside = np.asarray(flat[_ROOM:-_ROOM, _ROOM:-_ROOM], np.uint8)
    return Composite(blend(image[layer.window], inside, layer.alpha), layer.alpha, layer.origin)
