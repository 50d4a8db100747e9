"""The one-piece moulded sponge mask ("Pitta"): a centre ridge, and wings that are cut out around the ear."""

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, TOP, Array, Cloth, Garment, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import Accents, centre_seam, corner_folds, relief, tent


def sponge(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a sponge mask."""
    top, bottom = draws.near(0.15, 0.05), draws.near(1.25, 0.05)
    # The wings reach the ears and are cut out around them.
    body, cut_out, tip = draws.near(0.76, 0.05), draws.near(1.16, 0.05), draws.near(1.46, 0.03)
    wing_top, wing_bottom = draws.near(0.15, 0.05), draws.near(0.48, 0.04)
    # Some follow the jaw, others leave a part of it bare.
    full, band = draws.between(-0.6, 0.4), draws.between(0.045, 0.075)
    shape = outline(
        draws,
        [(0, top), (0.25, top + 0.10), (body, wing_top + 0.12), (tip, wing_top), (1.62, wing_top)],
        [
            (0, bottom),
            (0.30, bottom - 0.015 + 0.02 * full),
            (0.56, bottom - 0.16 + 0.06 * full),
            (0.85, bottom - 0.46 + 0.12 * full),
            (1.08, bottom - 0.68 + 0.12 * full),
            (1.38, wing_bottom),  # beyond the tip: its slope goes on to the ear
            (1.62, wing_bottom),
        ],
        [
            (-0.4, tip),
            (wing_top + band, tip),
            (0.5 * (wing_top + wing_bottom), cut_out),
            (wing_bottom - band, tip),
            (2.6, tip),
        ],
        0.04,
    )
    ridge = draws.between(0.05, 0.14)
    folds = centre_seam(top, bottom, draws.between(0.0, 0.02), 0.04)
    folds += corner_folds(draws, (1.2, 0.34), (-20, 30), 3, draws.between(0.015, 0.06))
    thick = draws.between(0.004, 0.014)
    # The halves are flat and meet at an angle.
    sharp = draws.between(0.03, 0.11), draws.between(0.3, 0.6), draws.between(0.0, 0.15)

    def stand_off(x: Array, y: Array) -> Array:
        ridged = ridge * np.exp(-np.abs(x) / 0.22) * np.clip((y - top) / 0.3, 0, 1)
        return np.asarray(
            0.03 + ridged * np.clip((bottom - y) / 0.2, 0, 1) + tent(x, y, (0, 0.75), (0.6, 0.5), 0.03)
        )

    return Garment(
        shape,
        relief(draws, [], folds, body, 0.002 * 6 ** draws.unit(), sharp),
        stand_off,
        cloth,
        (Trim(TOP, 0.0, 0.02, thick), Trim(BOTTOM, 0.0, 0.02, thick)),
        accents.marks,
        corners_slide=0.15,
    )
