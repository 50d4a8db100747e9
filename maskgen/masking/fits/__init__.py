"""Fits: functions (template, plan, landmarks, light) -> `maskgen.records.Layer` in image space.

`mesh` lays the mask on a surface over the face mesh. `half_split` draws it flat and maps each half by an
affine map. `image_cloth` lays a template that is an image; `warp` samples images through a map. `lower_face`
gives the polygon for texture flattening. A fit blends nothing.
"""

from collections.abc import Callable

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.fits.half_split import half_split
from maskgen.masking.fits.mesh import mesh
from maskgen.records import Layer, MaskTemplate, Plan

Fit = Callable[[MaskTemplate, Plan, Landmarks, LightDirection], Layer | None]

FIT_FUNCTIONS: dict[str, Fit] = {"half-split": half_split, "mesh": mesh}
