"""From a template's material and a plan to the `Garment` that one face wears."""

from functools import lru_cache

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import Cloth, Color, Garment
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.garment.shapes.parts import Accents
from maskgen.masking.hash_random import draw_bits
from maskgen.masking.materials.colors import draw_color
from maskgen.masking.materials.material import Material
from maskgen.masking.materials.prints import draw_print
from maskgen.masking.materials.weave import TILE_SIDE, weave
from maskgen.records import MaskTemplate, Plan

CM = 1 / 9.0  # eye distances in a centimetre: outer eye corners are about 9 cm apart


def dress(template: MaskTemplate, plan: Plan, eye_distance: float) -> Garment:
    """Draw the garment of a template for one face, from the plan's seed.

    Args:
        template: A template with a material.
        plan: Its colour and pattern replace those of the material.
        eye_distance: In pixels of the image; decides the resolution of prints and weaves.
    """
    material, seed = _material(template), draw_bits(plan.seed, "garment")
    pixels_per_cm = eye_distance * CM
    draws = Draws(seed, "material")
    motif = plan.pattern or (None if plan.color else material.draw("print", seed))
    name = plan.color or material.draw("color", seed)
    color: Color = draw_color(name, seed) if name else (128.0, 128.0, 128.0)
    tile, tile_size = None, (1.0, 1.0)
    if motif:
        printed = draw_print(motif, seed, pixels_per_cm)
        tile, tile_size = printed.tile, (printed.size_cm[0] * CM, printed.size_cm[1] * CM)
        blue, green, red = tile.reshape(-1, 3).mean(axis=0).tolist()
        color = (blue, green, red)
    cloth = Cloth(
        color,
        tile,
        tile_size,
        weave(material.draw("weave", seed) or "cotton", pixels_per_cm, seed),
        TILE_SIDE / max(eye_distance, 1.0),
        material.sheen * draws.between(0.5, 1.5),
    )

    def accent(key: str) -> Color | None:
        named = material.draw(key, seed)
        if named is None or named == "same":
            return color if named else None
        return draw_color(named, seed)

    accents = Accents(accent("binding") or color, accent("loop") or color, accent("valve"))
    return SHAPES[template.kind](Draws(seed, "shape"), cloth, accents)


@lru_cache(maxsize=256)
def _material(template: MaskTemplate) -> Material:
    return Material.parse(template.material or {})
