"""The sewn cloth mask: a contoured piece with a centre seam, or a pleated one, with hems and soft folds."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, SIDE, TOP, Array, Cloth, Garment, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import (
    Accents,
    centre_seam,
    corner_folds,
    ear_loops,
    relief,
    tent,
    thread,
)


def sewn(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a sewn mask."""
    top, bottom = draws.near(0.04, 0.07), draws.near(1.30, 0.06)
    half, narrow = draws.near(1.03, 0.07), draws.near(0.98, 0.07)
    upper = draws.near(0.505, 0.03)
    lower = upper + draws.between(0.31, 0.49)
    peaked = draws.between(0.02, 0.14)
    shape = outline(
        draws,
        [(0, top), (0.16, top + 0.2 * peaked), (0.45, top + peaked + 0.05), (half, upper), (1.62, upper)],
        [(0, bottom), (0.50, bottom - 0.01), (0.85 * narrow, bottom - 0.16), (narrow, lower), (1.62, lower)],
        [
            (-0.4, half),
            (upper, half),
            ((upper + lower) / 2, 0.97 * (half + narrow) / 2),
            (lower, narrow),
            (2.6, narrow),
        ],
        draws.between(0.03, 0.09),
    )
    seamed = draws.happens(0.65)
    strength = 0.22 * 9 ** draws.unit()
    folds = corner_folds(draws, (half, upper), (0, 55), 3, 0.08 * strength)
    folds += corner_folds(draws, (narrow, lower), (-50, 5), 3, 0.07 * strength)
    steps = []
    if seamed:
        folds += centre_seam(top, bottom, draws.between(0.005, 0.025), 0.05)
    elif draws.happens(0.5):
        depth = draws.between(0.012, 0.03)
        steps = [
            (y + draws.near(0, 0.03), y + 0.02, depth, depth, 0.014, 0.12, 0.0) for y in (0.55, 0.75, 0.95)
        ]
    hem = draws.between(0.03, 0.06)
    thick, stitches = draws.between(0.006, 0.02), thread(draws, cloth.color)
    edge = accents.binding if draws.happens(0.3) else None
    trims = [
        Trim(TOP, 0.0, hem, thick, edge),
        Trim(BOTTOM, 0.0, hem, thick, edge),
        Trim(SIDE, 0.0, draws.between(0.05, 0.09), thick, edge),
        Trim(TOP, hem, 0.010, -0.006, stitches, 0.028),
        Trim(BOTTOM, hem, 0.010, -0.006, stitches, 0.028),
    ]
    ridge = draws.between(0.0, 0.08) if seamed else 0.0
    sharp = draws.between(0.01, 0.07), draws.between(0.25, 0.6), draws.between(0.0, 0.1)

    def stand_off(x: Array, y: Array) -> Array:
        return np.asarray(0.035 + ridge * np.exp(-np.abs(x) / 0.2) + tent(x, y, (0, 0.75), (0.65, 0.5), 0.05))

    return Garment(
        shape,
        relief(draws, steps, folds, half, draws.between(0.003, 0.024) * strength, sharp),
        stand_off,
        cloth,
        tuple(trims),
        accents.marks,
        ear_loops(draws, (half, upper), (narrow, lower), accents.loop, (0.022, 0.045)),
    )
