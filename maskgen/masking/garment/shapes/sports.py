"""The sports mask: neoprene or mesh cloth with valves, a wide bound edge and broad straps."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, TOP, Array, Cloth, Garment, Loop, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import (
    VALVE_DESIGNS,
    Accents,
    centre_seam,
    corner_folds,
    nose_clip,
    relief,
    tent,
    valve,
)


def sports(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a sports mask; valves only if the accents have one."""
    top, bottom, half = draws.near(0.10, 0.06), draws.near(1.60, 0.08), draws.near(1.32, 0.07)
    upper, lower = draws.near(0.31, 0.06), draws.near(1.06, 0.08)
    shape = outline(
        draws,
        [(0, top), (0.14, top + 0.06), (0.40, top + 0.28), (half, upper), (1.62, upper)],
        [(0, bottom), (0.42, bottom - 0.01), (0.78, bottom - 0.16), (half, lower), (1.62, lower)],
        [(-0.4, half), (2.6, half)],
        0.10,
    )
    folds = centre_seam(top, bottom, draws.between(0.01, 0.03), 0.04)
    folds += corner_folds(draws, (half, upper), (0, 50), 4, draws.between(0.015, 0.06))
    bound = draws.between(0.04, 0.06)
    trims = [Trim(edge, 0.0, bound, 0.010, accents.binding) for edge in (TOP, BOTTOM)]
    patches = list(accents.marks)
    if accents.valve is not None:
        place, radius = (draws.near(0.42, 0.05), draws.near(0.74, 0.05)), draws.between(0.14, 0.19)
        sides = draws.pick(((1,), (-1,), (-1, 1), (-1, 1)))
        design = draws.pick(VALVE_DESIGNS)
        patches += [valve((side * place[0], place[1]), radius, accents.valve, design) for side in sides]
    if draws.happens(0.5):
        patches.append(nose_clip(draws, top, draws.pick(((110, 110, 110), (60, 60, 60)))))
    strap = Loop((half - 0.1, 0.5), (1.44, draws.near(0.36, 0.06)), draws.between(0.14, 0.24), accents.loop)

    def stand_off(x: Array, y: Array) -> Array:
        return np.asarray(0.04 + 0.05 * np.exp(-np.abs(x) / 0.2) + tent(x, y, (0, 0.75), (0.7, 0.55), 0.06))

    return Garment(
        shape,
        relief(
            draws,
            [],
            folds,
            half,
            draws.between(0.006, 0.03),
            (draws.between(0.0, 0.08), 0.3, draws.between(0.0, 0.12)),
        ),
        stand_off,
        cloth,
        tuple(trims),
        tuple(patches),
        (strap,),
    )
