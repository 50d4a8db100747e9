"""The shapes of masks, one file each: how a mask of that kind is cut and folded, drawn anew for each face.

A shape is a function (draws, cloth, accents) -> `Garment`. To add one, write such a function in a file of its
own and add it to `SHAPES` under its kind.
"""

from collections.abc import Callable

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import Cloth, Garment
from maskgen.masking.garment.shapes.cup import cup
from maskgen.masking.garment.shapes.duckbill import duckbill
from maskgen.masking.garment.shapes.fold_flat import fold_flat
from maskgen.masking.garment.shapes.gaiter import gaiter
from maskgen.masking.garment.shapes.parts import Accents
from maskgen.masking.garment.shapes.sewn import sewn
from maskgen.masking.garment.shapes.sponge import sponge
from maskgen.masking.garment.shapes.sports import sports
from maskgen.masking.garment.shapes.surgical import surgical

Shape = Callable[[Draws, Cloth, Accents], Garment]

# Kind -> shape.
SHAPES: dict[str, Shape] = {
    "surgical": surgical,
    "sponge": sponge,
    "cloth": sewn,
    "kn95": fold_flat,
    "n95": cup,
    "ffp2": duckbill,
    "sports": sports,
    "gaiter": gaiter,
}
