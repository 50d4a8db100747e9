"""The fold-flat respirator (KN95): a beak with a welded centre edge, and short loops."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, SIDE, TOP, Array, Cloth, Garment, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import (
    VALVE_DESIGNS,
    Accents,
    centre_seam,
    corner_folds,
    ear_loops,
    nose_clip,
    relief,
    valve,
)


def fold_flat(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a fold-flat respirator."""
    top, bottom, half = draws.near(0.05, 0.05), draws.near(1.22, 0.06), draws.near(0.815, 0.045)
    upper = draws.near(0.46, 0.045)
    lower = upper + draws.between(0.22, 0.34)
    shape = outline(
        draws,
        [(0, top), (0.12, top + 0.02), (0.5 * half, top + 0.6 * (upper - top)), (half, upper), (1.62, upper)],
        [(0, bottom), (0.16, bottom - 0.02), (0.55 * half, bottom - 0.215), (half, lower), (1.62, lower)],
        [(-0.4, half), (upper, half), (lower, half - 0.03), (2.6, half - 0.03)],
        0.05,
    )
    beak = draws.between(0.12, 0.24)
    folds = centre_seam(top, bottom, draws.between(0.005, 0.03), 0.035)
    sharp = draws.between(0.04, 0.14), draws.between(0.25, 0.5), draws.between(0.0, 0.15)
    folds += corner_folds(draws, (half, upper), (0, 40), 2, draws.between(0.005, 0.035))
    folds += corner_folds(draws, (half, lower), (-45, 0), 2, draws.between(0.005, 0.035))
    weld = draws.between(0.06, 0.09)
    trims = [
        Trim(TOP, weld, 0.012, -0.004, spacing=0.035),
        Trim(BOTTOM, weld, 0.012, -0.004, spacing=0.035),
        Trim(SIDE, 0.02, 0.03, -0.003, spacing=0.02),
    ]
    patches = list(accents.marks)
    if draws.happens(0.4):
        patches.append(nose_clip(draws, top, (195, 193, 190)))
    if accents.valve is not None:
        place, radius = (draws.pick((-0.42, 0.42)), 0.68), draws.between(0.16, 0.20)
        patches.append(valve(place, radius, accents.valve, draws.pick(VALVE_DESIGNS)))

    def stand_off(x: Array, y: Array) -> Array:
        along = np.clip((y - top) / (bottom - top), 0, 1)
        return np.asarray(
            0.035 + beak * np.clip(1 - np.abs(x) / 0.75, 0, 1) * (4 * along * (1 - along)) ** 0.7
        )

    return Garment(
        shape,
        relief(draws, [], folds, half, draws.between(0.004, 0.02), sharp),
        stand_off,
        cloth,
        tuple(trims),
        tuple(patches),
        ear_loops(draws, (half, upper), (half - 0.03, lower), accents.loop, (0.028, 0.045)),
    )
