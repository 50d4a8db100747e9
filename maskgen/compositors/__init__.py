"""Compositors: they blend a layer into an image, and know nothing of where it came from."""

from __future__ import annotations

from collections.abc import Callable

from maskgen.compositors.flatten import flatten
from maskgen.compositors.overlay import overlay
from maskgen.compositors.poisson import poisson
from maskgen.records import Composite, Image, Landmarks, Layer

Compositor = Callable[[Image, Layer, Landmarks], Composite]

COMPOSITORS: dict[str, Compositor] = {"overlay": overlay, "poisson": poisson, "flatten": flatten}
