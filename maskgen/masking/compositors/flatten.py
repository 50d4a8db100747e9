"""Flatten: texture flattening of the lower face, the baseline of the first masked-gender papers.

Mosayyebi et al. call `cv2.textureFlattening` "Poisson image editing" and use its smear of skin as a mask.
It needs no template: the layer's alpha is the polygon of the lower face (see
`maskgen.masking.fits.lower_face`), and its
colour is not looked at.

Quirks of `textureFlattening`, contained here: it writes into the mask it is given, and it changes pixels
outside that mask, so that its result is composited through the alpha. The paper's kernel of 36 is
not one that OpenCV takes (odd, 3 to 7). At 3 hardly an edge reaches the high threshold and all texture goes,
which is the smear that the paper shows; at 7 nearly all texture would stay.
"""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.masking.compositors.overlay import blend
from maskgen.masking.face.context import FaceContext
from maskgen.records import Composite, Image, Layer

_LOW, _HIGH, _KERNEL = 100, 1000, 3
_ROOM = 8  # pixels around the polygon, which may not touch the patch's border


def flatten(image: Image, layer: Layer, look: FaceContext) -> Composite:
    """Flatten the texture of ``image`` where the layer's alpha is; the rest stays as it is."""
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
