"""The duckbill respirator (FFP2): two panels that fold out to a box, with a horizontal edge in front."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, TOP, Array, Cloth, Garment, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import Accents, corner_folds, ear_loops, nose_clip, relief


def duckbill(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a duckbill or fish-shaped respirator."""
    top, bottom, half = draws.near(0.18, 0.045), draws.near(1.155, 0.03), draws.near(1.16, 0.08)
    corner = draws.near(0.64, 0.07)
    shape = outline(
        draws,
        [
            (0, top),
            (0.14, top + 0.02),
            (0.35, top + 0.19),
            (0.6 * half, 0.39),
            (half, corner - 0.06),
            (1.62, corner - 0.06),
        ],
        [
            (0, bottom),
            (0.32, bottom - 0.095),
            (0.6 * half, bottom - 0.43),
            (half, corner + 0.05),
            (1.62, corner + 0.05),
        ],
        [(-0.4, half), (2.6, half)],
        0.04,
    )
    bill, edge = draws.between(0.12, 0.22), draws.near(0.72, 0.06)
    # The welded edges of the two panels, above and below the front one.
    upper, lower = edge - draws.between(0.17, 0.24), edge + draws.between(0.17, 0.24)
    steps = [
        (upper, corner - 0.03, -0.014, -0.006, 0.010, 0.09, 0.0),
        (lower, corner + 0.03, 0.016, 0.006, 0.010, 0.10, 0.0),
    ]
    folds = corner_folds(draws, (half, corner), (-30, 30), 3, draws.between(0.01, 0.04))
    patches = list(accents.marks)
    if draws.happens(0.3):
        patches.append(nose_clip(draws, top, (190, 190, 185)))
    trims = [Trim(TOP, 0.05, 0.012, -0.004, spacing=0.03), Trim(BOTTOM, 0.05, 0.012, -0.004, spacing=0.03)]

    def stand_off(x: Array, y: Array) -> Array:
        across = np.clip(1 - (np.abs(x) / (0.9 * half)) ** 2, 0, 1)
        return np.asarray(0.03 + bill * across * np.exp(-(((y - edge) / 0.30) ** 2)))

    return Garment(
        shape,
        relief(draws, steps, folds, half, draws.between(0.002, 0.014), uneven=0.3),
        stand_off,
        cloth,
        tuple(trims),
        tuple(patches),
        ear_loops(draws, (half, corner - 0.05), (half, corner + 0.05), accents.loop, (0.035, 0.06)),
    )
