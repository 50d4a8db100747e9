"""The bandana: paisleys, blossoms and rows of dots in white on one colour."""

import numpy as np

from maskgen.masking.hash_random import draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.motifs.shapes import Points, circle, flower, leaf, paisley, place, scatter
from maskgen.masking.materials.palette import Palette

BANDANAS = (
    "9f2a30 e8e3da 24222a", "25335a e6e4de 1c2133", "262629 dedcd6 55565a", "2f6a5c e7e4da 1f3a36",
    "e2a7a8 f3ece6 a8505c", "6f93b4 eeede8 2c4260", "e6e2d9 2c2c30 8c8c8c", "5a3f63 e4dfe2 2d2436",
    "c9913a f0e6d2 4a3424", "46474c d9d7d3 232326", "e6dfd5 9c3138 4a5f86", "4d5f41 dcd8c4 2b3326",
)  # fmt: skip


def _paisleys(cloth: Cloth, palette: Palette, centers: Points, sizes: float, angles: Points) -> None:
    """Nested drops with a ring of dots around each and a blossom inside."""
    white, ground, dark = palette.ink(0), palette.ground, palette.ink(1)
    drop = paisley() - [0.0, 0.35]
    # All drops share the round end's centre.
    nested = [
        place(drop * scale + [0.0, 0.35], centers, sizes, angles)
        for scale in (1.42, 1.0, 0.86, 0.74, 0.62, 0.36)
    ]
    colors = np.array([ground, white, ground, white, dark, white], np.uint8)
    cloth.fill(np.concatenate(nested), np.repeat(colors, len(centers), axis=0))
    dots = np.concatenate([circle(6) * 0.06 + dot for dot in (drop * 1.2 + [0.0, 0.36])[1::2]])
    around = place(dots, centers, sizes, angles).reshape(-1, 6, 2)
    cloth.fill(around, white)
    inner = place(np.array([[0.0, 0.5]]), centers, sizes, angles)[:, 0]
    cloth.fill(place(circle(8), inner, 0.13 * sizes), ground)


def bandana(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Paisleys of 2 to 4 cm among blossoms, over a ground strewn with dots and petals."""
    size, gap, tilt, turned = draw_units(4, seed, "bandana")
    radius = 0.8 + 0.8 * size
    pitch = radius * (3.3 + 0.8 * gap)
    size_cm, centers, between, draws = scatter(pitch, 2 * pitch, 0.05, seed, "places", rows_apart=0.6)
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    white = palette.ink(0)
    _, fine, _, speck = scatter(
        size_cm[0] / max(6, round(size_cm[0] / 0.75)), size_cm[0], 0.25, seed, "fine", rows_apart=0.8
    )
    fine = fine[fine[:, 1] < size_cm[1]]
    petals = speck[: len(fine), 0] < 0.4
    cloth.fill(place(circle(6), fine[~petals], 0.07 + 0.05 * speck[: len(fine)][~petals, 1]), white)
    cloth.fill(place(leaf(0.3, 3), fine[petals], 0.4, speck[: len(fine)][petals, 1] * 6.3), white)
    blossom = flower(8, 0.4, 0.8, 4)
    cloth.fill(place(circle(16), between, radius * 0.75), palette.ground)
    for share, shape, ink in ((0.6, blossom, 0), (0.44, blossom, 1), (0.24, circle(10), 0)):
        cloth.fill(place(shape, between, radius * share, draws[:, 0]), palette.ink(ink))
    angles = (np.arange(len(centers)) % 2) * np.pi * (turned > 0.3) + tilt * 2 * np.pi + 0.6 * draws[:, 1]
    _paisleys(cloth, palette, centers, radius, angles)
    return cloth.finish()
