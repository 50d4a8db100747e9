"""Fits: they put a template into image space, and blend nothing. Each is one function in one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from maskgen.face_mesh import Landmarks
from maskgen.masking.fits.half_split import half_split
from maskgen.masking.fits.mesh import mesh
from maskgen.records import Image, Layer, MaskTemplate, Plan

Fit = Callable[[MaskTemplate, Sequence[Image], Landmarks, Plan], Layer | None]

FIT_FUNCTIONS: dict[str, Fit] = {"half-split": half_split, "mesh": mesh}
