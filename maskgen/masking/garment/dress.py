"""From a template's material and a plan to the `Garment` that one face wears."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import Cloth, Garment, Patch, darkness
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.garment.shapes.parts import Accents
from maskgen.masking.hash_random import draw_bits, draw_unit
from maskgen.masking.materials.marks import draw_mark
from maskgen.masking.materials.material import NONE, Fabric, Material, draw_fabric, parse_material
from maskgen.masking.materials.noise import Plane
from maskgen.masking.materials.prints import draw_print
from maskgen.masking.materials.weave import TILE_SIDE, wear_tile, weave
from maskgen.records import MaskTemplate, Plan

CM = 1 / 9.0  # eye distances in a centimetre: outer eye corners are about 9 cm apart
# Contrast of what wear and camera add to black and to white cloth.
_WORN_DARK, _WORN_WHITE = 0.05, 0.009
_FRONT = 0.72  # height of the middle of a mask's front


def dress(template: MaskTemplate, plan: Plan, eye_distance: float) -> Garment:
    """Draw the garment of a template for one face, from the plan's seed.

    Args:
        template: A template with a material.
        plan: Its colour and pattern replace those of the material.
        eye_distance: In pixels of the image; decides the resolution of prints, marks and weaves.
    """
    return _dressed(template, plan.seed, plan.color, plan.pattern, max(eye_distance, 1.0))


# A face whose mask is hung anew keeps its garment.
@lru_cache(maxsize=2)
def _dressed(
    template: MaskTemplate, plan_seed: int, color: str | None, pattern: str | None, eye_distance: float
) -> Garment:
    seed, pixels_per_cm = draw_bits(plan_seed, "garment"), eye_distance * CM
    fabric = _fabric(template, color, pattern, seed)
    tile, tile_size = None, (1.0, 1.0)
    if fabric.print:
        printed = draw_print(fabric.print, seed, pixels_per_cm, fabric.palette)
        tile, tile_size = printed.tile, (printed.size_cm[0] * CM, printed.size_cm[1] * CM)
    texture = _texture(fabric, pixels_per_cm, seed)
    cloth = Cloth(
        fabric.color,
        tile,
        tile_size,
        texture,
        len(texture) / eye_distance,
        draw_unit(seed, "weave start"),
        fabric.sheen,
    )
    marks: tuple[Patch, ...] = ()
    if fabric.mark:
        drawn = draw_mark(fabric.mark, seed, pixels_per_cm, fabric.color)
        (right, down), (width, height) = drawn.center_cm, drawn.size_cm
        place = (right * CM, _FRONT + down * CM)
        marks = (Patch(drawn.bgra, None, place, (width * CM, height * CM)),)
    accents = Accents(fabric.binding, fabric.loops, fabric.valve, marks)
    return SHAPES[template.kind](Draws(seed, "shape"), cloth, accents)


def _texture(fabric: Fabric, pixels_per_cm: float, seed: int) -> Plane:
    """The weave, with what wear, light and camera add: more on dark cloth, little on white."""
    tile = weave(fabric.weave, pixels_per_cm, seed)
    worn = _WORN_WHITE + (_WORN_DARK - _WORN_WHITE) * darkness(fabric.color)
    worn *= 0.4 + 1.2 * draw_unit(seed, "worn") ** 2
    repeats = len(tile) // TILE_SIDE
    return tile + np.float32(worn) * np.tile(wear_tile(), (repeats, repeats))


def _fabric(template: MaskTemplate, color: str | None, pattern: str | None, seed: int) -> Fabric:
    """The material of one mask, with the colour and pattern of the plan."""
    material = _material(template)
    if color is not None:
        material = replace(material, color=((color, 1.0),), print=((NONE, 1.0),))
    if pattern is not None:
        material = replace(material, print=((pattern, 1.0),))
    return draw_fabric(material, seed)


@lru_cache(maxsize=256)
def _material(template: MaskTemplate) -> Material:
    return parse_material(template.material, template.name)
