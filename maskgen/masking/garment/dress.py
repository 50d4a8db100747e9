"""From a template's material and a plan to the `Garment` that one face wears."""

from dataclasses import replace
from functools import lru_cache

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import Cloth, Garment, Patch
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.garment.shapes.parts import Accents
from maskgen.masking.hash_random import draw_bits
from maskgen.masking.materials.marks import draw_mark
from maskgen.masking.materials.material import NONE, Fabric, Material, draw_fabric, parse_material
from maskgen.masking.materials.prints import draw_print
from maskgen.masking.materials.weave import TILE_SIDE, weave
from maskgen.records import MaskTemplate, Plan

CM = 1 / 9.0  # eye distances in a centimetre: outer eye corners are about 9 cm apart
_FRONT = 0.72  # height of the middle of a mask's front


def dress(template: MaskTemplate, plan: Plan, eye_distance: float) -> Garment:
    """Draw the garment of a template for one face, from the plan's seed.

    Args:
        template: A template with a material.
        plan: Its colour and pattern replace those of the material.
        eye_distance: In pixels of the image; decides the resolution of prints, marks and weaves.
    """
    seed, pixels_per_cm = draw_bits(plan.seed, "garment"), max(eye_distance, 1.0) * CM
    fabric = _fabric(template, plan, seed)
    tile, tile_size = None, (1.0, 1.0)
    if fabric.print:
        printed = draw_print(fabric.print, seed, pixels_per_cm, fabric.palette)
        tile, tile_size = printed.tile, (printed.size_cm[0] * CM, printed.size_cm[1] * CM)
    cloth = Cloth(
        fabric.color,
        tile,
        tile_size,
        weave(fabric.weave, pixels_per_cm, seed),
        TILE_SIDE / max(eye_distance, 1.0),
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


def _fabric(template: MaskTemplate, plan: Plan, seed: int) -> Fabric:
    """The material of one mask, with the colour and pattern of the plan."""
    material = _material(template)
    if plan.color is not None:
        material = replace(material, color=((plan.color, 1.0),), print=((NONE, 1.0),))
    if plan.pattern is not None:
        material = replace(material, print=((plan.pattern, 1.0),))
    return draw_fabric(material, seed)


@lru_cache(maxsize=256)
def _material(template: MaskTemplate) -> Material:
    return parse_material(template.material, template.name)
