"""The bandana: paisleys, blossoms and rows of dots in white on one colour."""

import numpy as np

from maskgen.masking.hash_random import draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.motifs.shapes import Points, circle, flower, leaf, paisley, place, scatter
from maskgen.masking.materials.palette import Palette

BANDANAS = (
    "9f2a30 e8e3da 24222a", "25335a e6e4de 1c2133", "262629 dedcd6 55565a", "2f6a5c e7e4da 1f3a36", "e2a7a8 f3ece6 a8505c",
    "6f93b4 eeede8 2c4260", "e6e2d9 2c2c30 8c8c8c", "5a3f63 e4dfe2 2d2436", "c9913a f0e6d2 4a3424", "46474c d9d7d3 232326",
    "e6dfd5 9c3138 4a5f86", "4d5f41 dcd8c4 2b3326",
)  # fmt: skip


def _paisleys(cloth: Cloth, palette: Palette, centers: Points, sizes: Points, angles: Points) -> None:
    """Nested drops with a ring of dots around each and a blossom inside."""
    white, ground, dark = palette.ink(0), palette.ground, palette.ink(1)
    drop = paisley()
    for scale, color in (
        (1.0, white),
        (0.87, ground),
        (0.76, white),
        (0.66, dark),
        (0.5, white),
        (0.38, ground),
    ):
        # The inner drops share the round end's centre.
        cloth.fill(place((drop - [0, 0.35]) * scale + [0, 0.35], centers, sizes, angles), color)
    inner = place(np.array([[0.0, 0.5]]), centers, sizes, angles)[:, 0]
    cloth.fill(place(flower(6, 0.5, 1.0, 4), inner, sizes * 0.25, angles), white)
    for dot in (drop * 1.2 + [0, -0.02])[::2]:
        around = place(dot[None], centers, sizes, angles)[:, 0]
        cloth.fill(place(circle(7), around, sizes * 0.06), white)


def bandana(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Paisleys of 2 to 4 cm, alternately turned, over a ground strewn with blossoms and dots."""
    size, gap, tilt, rows = draw_units(4, seed, "bandana")
    radius = 0.85 + 0.65 * size
    pitch = radius * (2.7 + 0.6 * gap)
    size_cm = (pitch * 2, pitch * 1.8)
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    white = palette.ink(0)
    fine, draws = scatter(size_cm, 0.62, 0.2, seed, "fine")
    picks = draws[:, 0] < 0.35
    cloth.fill(place(circle(7), fine[~picks], 0.07 + 0.05 * draws[~picks, 1]), white)
    cloth.fill(place(leaf(0.3, 4), fine[picks], 0.4, draws[picks, 1] * 6.3), white)
    centers, draws = scatter(size_cm, pitch, 0.05, seed, "places")
    between = np.mod(centers + [pitch / 2, 0], size_cm)
    cloth.fill(place(circle(16), between, radius * 0.62), palette.ground)
    cloth.fill(place(flower(8, 0.4, 0.8, 5), between, radius * 0.52, draws[:, 0]), white)
    cloth.fill(place(flower(8, 0.4, 0.8, 5), between, radius * 0.38, draws[:, 0]), palette.ink(1))
    cloth.fill(place(circle(10), between, radius * 0.2), white)
    cloth.fill(place(circle(8), between, radius * 0.09), palette.ground)
    angles = (np.arange(len(centers)) % 2) * np.pi * (rows > 0.3) + tilt * 2 * np.pi + 0.6 * draws[:, 1]
    sizes = np.full(len(centers), radius)
    cloth.fill(place(circle(20), centers, radius * 1.12), palette.ground)
    _paisleys(cloth, palette, centers, sizes, angles)
    return cloth.finish()
