"""Compositors: they blend a layer into an image, and know nothing of where it came from."""

from __future__ import annotations

from collections.abc import Callable

from maskgen.masking.compositors.flatten import flatten
from maskgen.masking.compositors.overlay import overlay
from maskgen.masking.compositors.poisson import poisson
from maskgen.masking.face.context import FaceContext
from maskgen.records import Composite, Image, Layer

Compositor = Callable[[Image, Layer, FaceContext], Composite]

COMPOSITORS: dict[str, Compositor] = {"overlay": overlay, "poisson": poisson, "flatten": flatten}
