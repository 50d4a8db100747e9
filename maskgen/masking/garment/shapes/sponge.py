"""The one-piece moulded sponge mask ("Pitta"): a sharp centre ridge, and wings with cut-outs for the ears."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, TOP, Array, Cloth, Garment, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import Accents, centre_seam, corner_folds, relief, tent


def sponge(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a sponge mask."""
    top, bottom = draws.near(0.10, 0.05), draws.near(1.25, 0.05)
    body, tip = draws.near(0.76, 0.05), draws.near(1.34, 0.03)
    wing_top, wing_bottom = draws.near(0.20, 0.05), draws.near(0.44, 0.04)
    # Some follow the jaw, others run straight from the chin to the ears.
    full = draws.between(-0.45, 0.4)
    shape = outline(
        draws,
        [(0, top), (0.25, top + 0.10), (body, wing_top + 0.10), (tip, wing_top), (1.62, wing_top)],
        [
            (0, bottom),
            (0.28, bottom - 0.12 + 0.05 * full),
            (0.50, bottom - 0.38 + 0.14 * full),
            (body, 0.64 + 0.14 * full),
            (tip, wing_bottom),
            (1.62, wing_bottom),
        ],
        [(-0.4, tip), (2.6, tip)],
        0.04,
    )
    ridge = draws.between(0.05, 0.14)
    folds = centre_seam(top, bottom, draws.between(0.0, 0.02), 0.04)
    folds += corner_folds(draws, (1.2, 0.34), (-20, 30), 3, draws.between(0.01, 0.04))
    thick = draws.between(0.004, 0.014)
    # The halves are flat and meet at an angle.
    sharp = draws.between(0.05, 0.2), draws.between(0.25, 0.5), draws.between(0.0, 0.3)

    def stand_off(x: Array, y: Array) -> Array:
        ridged = ridge * np.exp(-np.abs(x) / 0.22) * np.clip((y - top) / 0.3, 0, 1)
        return np.asarray(
            0.03 + ridged * np.clip((bottom - y) / 0.2, 0, 1) + tent(x, y, (0, 0.75), (0.6, 0.5), 0.03)
        )

    return Garment(
        shape,
        relief(draws, [], folds, body, 0.003 * 8 ** draws.unit(), sharp),
        stand_off,
        cloth,
        (Trim(TOP, 0.0, 0.02, thick), Trim(BOTTOM, 0.0, 0.02, thick)),
        accents.marks,
        corners_slide=0.15,
    )
