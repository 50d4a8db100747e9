"""The moulded cup respirator (N95): a stiff dome inside the cheeks, head straps, sometimes a valve."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, SIDE, TOP, Array, Cloth, Garment, Loop, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import VALVE_DESIGNS, Accents, nose_clip, relief, tent, valve


def cup(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a cup respirator."""
    top, bottom, half = draws.near(0.10, 0.05), draws.near(1.11, 0.05), draws.near(0.53, 0.04)
    shape = outline(
        draws,
        [(0, top), (0.10, top + 0.02), (0.30, top + 0.20), (0.5, top + 0.42), (half, 0.66), (1.62, 0.66)],
        [(0, bottom), (0.25, bottom - 0.03), (0.45, bottom - 0.16), (half, 0.80), (1.62, 0.80)],
        [(-0.4, half), (2.6, half)],
        0.10,
    )
    dome = draws.between(0.20, 0.28)
    rim = draws.between(0.04, 0.07)
    trims = [Trim(edge, rim, 0.015, -0.008) for edge in (TOP, BOTTOM, SIDE)]
    patches = list(accents.marks)
    if draws.happens(0.6):
        patches.append(
            nose_clip(draws, top + 0.02, draws.pick(((175, 175, 170), (120, 120, 120), (220, 220, 220))))
        )
    if accents.valve is not None:
        place = (draws.pick((0.0, 0.0, -0.22, 0.22)), draws.near(0.72, 0.04))
        patches.append(valve(place, draws.between(0.16, 0.21), accents.valve, draws.pick(VALVE_DESIGNS)))
    # Moulded ribs across the cup.
    steps = [
        (y + draws.near(0, 0.02), y + 0.05, depth, depth, 0.012, 0.10, 0.0)
        for y, depth in ((0.5, draws.between(0, 0.012)), (0.95, draws.between(0, 0.012)))
    ]
    wide = draws.between(0.05, 0.075)
    high, low = draws.near(-0.12, 0.12), draws.near(0.50, 0.08)
    straps = (
        Loop((half - 0.06, 0.58), (1.42, high), wide, accents.loop, over_hair=True),
        Loop((half - 0.05, 0.84), (1.42, low), wide, accents.loop, over_hair=True),
    )

    def stand_off(x: Array, y: Array) -> Array:
        return np.asarray(0.03 + tent(x, y, (0, 0.66), (0.72, 0.62), dome))

    return Garment(
        shape,
        relief(draws, steps, [], half, draws.between(0.001, 0.006), uneven=0.2),
        stand_off,
        cloth,
        tuple(trims),
        tuple(patches),
        straps,
    )
