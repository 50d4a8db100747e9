"""The pleated surgical mask: a rectangle whose pleats open in the middle, gathered at its sides."""

import math

import numpy as np

from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import BOTTOM, SIDE, TOP, Array, Cloth, Garment, Trim
from maskgen.masking.garment.outline import outline
from maskgen.masking.garment.shapes.parts import Accents, corner_folds, darker, ear_loops, relief, tent


def surgical(draws: Draws, cloth: Cloth, accents: Accents) -> Garment:
    """Draw a surgical mask."""
    half, taper = draws.near(0.90, 0.09), draws.between(0.9, 1.14)
    top, bottom = draws.near(0.11, 0.16), draws.near(1.185, 0.06)
    # The side edge is shorter than the middle, where the pleats are open.
    upper, lower = top + draws.near(0.04, 0.06), bottom - draws.between(0.10, 0.34)
    narrow = half * taper
    shape = outline(
        draws,
        [
            (0, top),
            (0.12, top + 0.015),
            (0.6 * half, top + 0.6 * (upper - top)),
            (half, upper),
            (1.62, upper),
        ],
        [(0, bottom), (0.5 * narrow, bottom - 0.28 * (bottom - lower)), (narrow, lower), (1.62, lower)],
        [
            (-0.4, half),
            (upper, half),
            ((upper + lower) / 2, 0.49 * (half + narrow)),
            (lower, narrow),
            (2.6, narrow),
        ],
        draws.between(0.01, 0.09),
    )
    count = draws.pick((2, 2, 3, 3, 3, 4))
    # Pleats lie close together at the sides and open in the middle, where they follow nose and chin.
    opened, closed = (
        draws.between(0.13, 0.36) * 3 / count,
        (lower - upper) / (count + draws.between(0.6, 2.0)),
    )
    middle, beside = draws.near(0.68, 0.26), (upper + lower) / 2 + draws.near(0.08, 0.12)
    # From 0 for a mask fresh from its box, which is nearly smooth, to 1 for one that was crushed in a pocket.
    worn = 1.17 - 1.3 * draws.unit() ** 1.5
    # Those of a mask that is pulled open are nearly flat in the middle.
    pulled, deep = draws.between(0.4, 1.3), min(0.18 * 60 ** draws.near(worn, 0.15), 6.5)
    leaning = draws.near(0, 0.45)
    steps = []
    for number in range(count):
        place, depth = number - (count - 1) / 2, deep * draws.between(0.012, 0.050)
        steps.append(
            (
                middle + place * opened + draws.near(0, 0.2),
                beside + place * closed,
                depth * pulled * draws.between(0.4, 1.0),
                depth * 0.9,
                draws.between(0.004, 0.016),
                draws.between(0.10, 0.30),
                leaning + draws.near(0, 0.2),
            )
        )
    # Limited: flanks of higher folds are as steep as can be, patches of one grey.
    strength = min(0.25 * 105 ** draws.near(worn, 0.15), 5.0)
    more = round(3 * max(worn, 0))
    folds = corner_folds(draws, (half, upper), (0, 65), 3 + more, 0.065 * strength)
    folds += corner_folds(draws, (narrow, lower), (-55, 5), 2 + more, 0.055 * strength)
    # Gathers beside the edge, where the loops are welded on.
    for side in (-1, 1):
        for number in range(4):
            y = upper + (number + draws.between(0.3, 0.7)) * (lower - upper) / 4
            turn = draws.near(0, 0.25)
            direction = math.pi + turn if side > 0 else turn
            folds.append((side * half, y, direction, 0.015, draws.between(0.12, 0.3), draws.near(0, 0.02)))
    # The wire folds it over the nose; it was folded down the middle in its box.
    crease = draws.between(0.0, 0.09)
    edge = draws.between(0.035, 0.06)
    lean, wide = draws.near(0, 0.3), draws.between(0.4, 0.9)
    gape, tented = draws.between(0.0, 0.06), draws.between(0.06, 0.19)
    flare = draws.between(0.05, 0.13)
    # Two rows of weld dots hold the nose wire; the upper one lies on the binding.
    shade, channel = draws.between(0.87, 0.98), edge + draws.between(0.05, 0.10)
    trims = [
        Trim(TOP, 0.0, edge, draws.between(0.003, 0.010), accents.binding),
        Trim(TOP, edge, 0.008, -0.004),
        Trim(BOTTOM, 0.0, 0.8 * edge, 0.004, None),
        Trim(BOTTOM, 0.8 * edge, 0.008, -0.004),
        Trim(SIDE, 0.0, draws.between(0.03, 0.05), 0.005, accents.binding),
        Trim(SIDE, 0.05, 0.006, -0.003),
        Trim(TOP, edge, channel - edge, draws.between(0.0, 0.006)),
        Trim(TOP, 0.5 * edge, 0.010, -0.003, darker(accents.binding, shade), spacing=0.028),
        Trim(TOP, channel, 0.011, -0.003, darker(cloth.color, shade), spacing=0.028),
    ]

    def stand_off(x: Array, y: Array) -> Array:
        sides = np.clip((np.abs(x) - 0.45) / 0.4, 0, 1)
        below = np.clip((y - 0.45) / 0.6, 0, 1)
        spread = gape * sides + flare * np.clip(np.abs(x) / 0.6, 0, 1) * below
        return np.asarray(0.035 + spread + tent(x, y, (lean, 0.72), (wide, 0.55), tented))

    return Garment(
        shape,
        relief(
            draws,
            steps,
            folds,
            half,
            min(0.0045 * 34 ** draws.near(worn, 0.15), 0.08),
            (crease, draws.between(0.15, 0.45), max(draws.between(-0.06, 0.03), 0.0)),
            ridge_end=draws.near(0.85, 0.2),
        ),
        stand_off,
        cloth,
        tuple(trims),
        loops=ear_loops(draws, (half, upper), (narrow, lower), accents.loop, (0.024, 0.046)),
    )
