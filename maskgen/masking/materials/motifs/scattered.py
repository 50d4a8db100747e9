"""Small things scattered over cloth: dots, stars and icons."""

import numpy as np

from maskgen.masking.hash_random import draw_array, draw_unit, draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.motifs import icon_shapes
from maskgen.masking.materials.motifs.shapes import circle, place, scatter, star
from maskgen.masking.materials.palette import Palette

DOTS = (
    "e9e6df 2a2a2d", "26262a dedbd4", "27375a e6e4de", "a52f35 ebe6de", "e9dfda c98490",
    "d9e1e6 5f83ab", "e8e4d8 4f7a63", "c98f98 f1ebe6", "e9e5dc c9963c 8a4c46 4d6c7a", "5d5f64 d6d4cf",
    "4f7d80 e9e7e0", "ece8e4 d47f6d 7fa3a8 e0b45f 5d6f94", "d8b54a 3a3733",
)  # fmt: skip
STARS = (
    "26324e e3e2dc", "25262a d9d7d2", "e9e6e0 2b3350", "a3333a e7e2da", "8f9296 ebe9e4",
    "e6dcd8 c78f98", "1f2740 cfae62", "e8e5de 8a8d92", "5b7894 eceae4",
)  # fmt: skip
ICONS = (
    "ece8e0 b5454a 3f6a58 d9a24f 2d2d30", "26272b d9d6cf c25a5f 7fa6a3 d9b35e",
    "c9dbe0 ecefee 31506e d78a7d e2bd6b", "efdcd9 c6616f 7a9b8a f5f0ea 59504f",
    "2a3653 e8e4da d06f63 dcb45c 7ba0b0", "f0e8d2 d98250 6f8f55 a5453f 4a4238",
    "cfe0d2 4c7d5f f3efe4 d9798a 3d4a44", "e6e0ec 8a72a8 e59fae f4f1f0 4f4a63",
    "f2d987 3c3a38 f6f1e4 c4574c 5f8a8f",
)  # fmt: skip


def dots(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Polka dots of 3 to 15 mm, staggered or square; sometimes of mixed sizes."""
    size, gap, kind, square = draw_units(4, seed, "dots")
    diameter = 0.3 + 1.2 * size**1.6
    pitch = diameter * (1.5 + 1.1 * gap)
    mixed = kind > 0.75
    if square < 0.25 and not mixed:
        columns = max(2, round(5 / pitch))
        cloth = Cloth((pitch * columns,) * 2, pixels_per_cm, palette.ground)
        column, row = (axis.ravel() for axis in np.mgrid[0:columns, 0:columns])
        centers = np.stack([column + 0.5, row + 0.5], axis=1) * pitch
        draws = draw_array(4 * len(centers), seed, "each").reshape(-1, 4).astype(np.float64)
    else:
        size_cm, centers, _, draws = scatter(pitch, 5.0, 0.22 if mixed else 0.0, seed, "places")
        cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    radius = diameter / 2 * (0.45 + 0.9 * draws[:, 0] if mixed else np.ones(len(centers)))
    inks = np.array(palette.inks, np.uint8)
    picks = (draws[:, 1] * len(inks)).astype(int)
    cloth.fill(place(circle(16 if radius.max() < 0.3 else 28), centers, radius), inks[picks])
    return cloth.finish()


def stars(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Five-pointed stars of 4 to 14 mm, in rows or thrown about in two sizes."""
    size, gap, kind = draw_units(3, seed, "stars")
    radius = 0.2 + 0.5 * size**2
    pitch = 2 * radius * (1.3 + 0.9 * gap)
    loose = kind > 0.45
    size_cm, centers, _, draws = scatter(pitch, 5.0, 0.16 if loose else 0.0, seed, "places")
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    sizes = radius * (0.55 + 0.6 * draws[:, 0] if loose else np.ones(len(centers)))
    angles = (draws[:, 1] - 0.5) * (1.2 if loose else 0.0)
    cloth.fill(
        place(star(inner=0.4 + 0.08 * draw_unit(seed, "point")), centers, sizes, angles), palette.ink(0)
    )
    return cloth.finish()


def icons(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Two or three kinds of little drawings of 10 to 22 mm, thrown about, with specks between them."""
    size, gap, tilt, specks = draw_units(4, seed, "icons")
    radius = 0.5 + 0.6 * size**1.5
    pitch = 2 * radius * (1.15 + 0.5 * gap)
    size_cm, centers, between, draws = scatter(pitch, 7.0, 0.1, seed, "places")
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    names = sorted(icon_shapes.ICONS)
    first = int(draw_unit(seed, "first") * len(names))
    chosen = [names[(first + step * (1 + int(3 * tilt))) % len(names)] for step in range(2 + (gap > 0.5))]
    angles = (draws[:, 1] - 0.5) * (0.5 if tilt < 0.6 else 3.0)
    kinds = np.arange(len(centers)) % len(chosen)
    if specks > 0.4:
        dot = place(circle(8), between, radius * 0.09)
        cloth.fill(dot, np.array(palette.inks, np.uint8)[(draws[:, 3] * len(palette.inks)).astype(int)])
    for index, name in enumerate(chosen):
        here = kinds == index
        for polygon, ink in icon_shapes.ICONS[name]:
            pieces = place(polygon, centers[here], radius * (0.85 + 0.3 * draws[here, 0]), angles[here])
            color = palette.ground if ink is None else palette.ink(ink + index)
            cloth.fill(pieces, color)
    return cloth.finish()
