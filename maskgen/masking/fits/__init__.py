"""Fits: functions (template, pyramid, landmarks, plan) -> `maskgen.records.Layer` in image space.

`half_split` maps each half of the template by an affine map, `mesh` maps the template by a thin-plate spline
over the cloth. Both change the map by `wear` and sample the template by `warp.warp_template`. `lower_face`
gives the polygon for texture flattening. A fit blends nothing.
"""

from collections.abc import Callable, Sequence

from maskgen.face_mesh import Landmarks
from maskgen.masking.fits.half_split import half_split
from maskgen.masking.fits.mesh import mesh
from maskgen.records import Image, Layer, MaskTemplate, Plan

Fit = Callable[[MaskTemplate, Sequence[Image], Landmarks, Plan], Layer | None]

FIT_FUNCTIONS: dict[str, Fit] = {"half-split": half_split, "mesh": mesh}
