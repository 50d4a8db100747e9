"""A preview sheet of templates, each as the mean face wears it."""

from collections.abc import Sequence

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks, canonical_face
from maskgen.images.grid import grid
from maskgen.masking.compositors.overlay import blend
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.fits import FIT_FUNCTIONS
from maskgen.masking.hash_random import draw_bits
from maskgen.records import Image, MaskTemplate, Plan

_TILE = (256, 224)
_CAPTION = 26
_COLUMNS = 5
_UNIT = 112.0  # pixels between the outer eye corners
_GROUND, _HEAD = (206, 206, 206), (172, 178, 186)
_LIGHT = LightDirection(np.array([-0.3, -0.5, -0.81]), 0.55)


def draw_preview(templates: Sequence[MaskTemplate]) -> Image:
    """Draw templates on a plain head, each with its name below.

    ``templates``: at least one; each is drawn from a seed that its name gives. Returns (height, width, 3)
    uint8 BGR, at most five templates to a row.
    """
    if not templates:
        raise ValueError("a preview needs at least one template")
    return grid([_tile(template) for template in templates], min(_COLUMNS, len(templates)))


def _tile(template: MaskTemplate) -> Image:
    width, height = _TILE
    points = canonical_face() * _UNIT + (width / 2, 0.22 * height, 0)
    head = Landmarks(points.astype(np.float32), _TILE)
    tile = np.full((height + _CAPTION, width, 3), 255, np.uint8)
    tile[:height] = _GROUND
    cv2.fillPoly(tile[:height], [np.rint(head.oval).astype(np.int32)], _HEAD, cv2.LINE_AA)
    plan = Plan(template.name, "correct", None, None, draw_bits(0, template.name))
    layer = FIT_FUNCTIONS["mesh"](template, plan, head, _LIGHT)
    if layer is not None:
        bgr = np.asarray(cv2.convertScaleAbs(layer.bgr, alpha=1 / layer.exposure), np.uint8)
        tile[layer.window] = blend(tile[layer.window], bgr, layer.alpha)
    caption = template.name.encode("ascii", "replace").decode()
    reach = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][0]
    font = min(0.5, (width - 12) / max(reach, 1))
    place = (6, height + _CAPTION - 8)
    cv2.putText(tile, caption, place, cv2.FONT_HERSHEY_SIMPLEX, font, (40, 40, 40), 1, cv2.LINE_AA)
    return tile
