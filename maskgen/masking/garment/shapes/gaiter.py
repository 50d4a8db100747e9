"""The gaiter or bandana: a tube of cloth from the nose down over the neck, in loose horizontal folds."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import TOP, Array, Cloth, Garment, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import Accents, corner_folds, relief, tent


def gaiter(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a gaiter."""
    top, hem = draws.near(0.09, 0.06), draws.between(1.6, 1.9)
    side = top + draws.near(0.0, 0.12)
    shape = outline(
        draws,
        [(0, top), (0.3, top + 0.05), (1.3, side), (1.62, side)],
        [(0, hem), (1.62, hem - 0.1)],
        [(-0.4, 1.42), (2.6, 1.42)],
        0.02,
    )
    steps = []
    for number in range(draws.pick((2, 3, 4))):
        y, depth = 1.08 + 0.16 * number + draws.near(0, 0.05), draws.between(0.02, 0.05)
        steps.append((y, y - draws.between(0.05, 0.35), depth, 0.6 * depth, 0.03, 0.2, draws.near(0, 0.1)))
    folds = corner_folds(draws, (1.1, side), (5, 60), 4, draws.between(0.02, 0.07))

    def stand_off(x: Array, y: Array) -> Array:
        loose = np.clip((y - 0.55) / 0.5, 0, 1) * np.clip((1.7 - y) / 0.5, 0.3, 1)
        return np.asarray(0.04 + 0.19 * loose + tent(x, y, (0, 0.8), (0.6, 0.6), 0.06))

    return Garment(
        shape,
        relief(draws, steps, folds, 1.2, draws.between(0.004, 0.02)),
        stand_off,
        cloth,
        (Trim(TOP, 0.0, draws.between(0.02, 0.05), draws.between(0.006, 0.02)),),
        accents.marks,
        corners_slide=1.0,
    )
