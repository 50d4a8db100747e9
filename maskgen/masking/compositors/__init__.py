"""Compositors: functions (image, layer, context) -> `maskgen.records.Composite`.

`overlay` blends by alpha, `poisson` clones the layer into the light of the face, `flatten` smooths the
texture of the lower face. A compositor does not know the template.
"""

from collections.abc import Callable

from maskgen.masking.compositors.flatten import flatten
from maskgen.masking.compositors.overlay import overlay
from maskgen.masking.compositors.poisson import poisson
from maskgen.masking.face.context import FaceContext
from maskgen.records import Composite, Image, Layer

Compositor = Callable[[Image, Layer, FaceContext], Composite]

COMPOSITORS: dict[str, Compositor] = {"overlay": overlay, "poisson": poisson, "flatten": flatten}
