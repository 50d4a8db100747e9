"""Compositors: they blend a layer into an image, and know nothing of where it came from."""

from __future__ import annotations

from collections.abc import Callable

from maskgen.compositors.flatten import flatten
from maskgen.compositors.overlay import overlay
from maskgen.compositors.poisson import poisson
from maskgen.look import FaceLook
from maskgen.records import Composite, Image, Layer

Compositor = Callable[[Image, Layer, FaceLook], Composite]

COMPOSITORS: dict[str, Compositor] = {"overlay": overlay, "poisson": poisson, "flatten": flatten}
