"""Geometric prints: chevrons, hexagons, triangles, scales, diamonds and lattices."""

from collections.abc import Callable

import numpy as np

from maskgen.masking.hash_random import draw_array, draw_unit, draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.motifs.shapes import circle, place
from maskgen.masking.materials.palette import Palette

GEOMETRICS = (
    "e8e5de 2a2a2d", "27365a e2e2de", "e6e2d8 4a6f88 c98a6b", "25262a cfcdc8", "e9e4db c2757f 7f9a93",
    "dfe4e4 2f5f6b 8fb0b0", "e7dfce c9963f 4f4a45", "8b8e92 e4e2dd 3f4146", "3a5a58 e0d9c4",
    "e8e6e2 7d86a0 35405c", "b04a46 ece5da", "e6dcd8 8a5f6b c9a3a0",
)  # fmt: skip


def _chevrons(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Zigzag bands of 5 to 15 mm."""
    band, steep, wide = draw_units(3, seed, "chevron")
    colors = palette.colors()
    period = (0.5 + 0.9 * band) * len(colors)
    wave = 1.2 + 1.8 * wide
    size_cm = (wave * max(1, round(4 / wave)), period * max(1, round(4 / period)))
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    x, y = cloth.places()
    zigzag = np.abs((x * size_cm[0] / wave) % 1 - 0.5) * wave * (0.7 + 0.8 * steep)
    phase = ((y * size_cm[1] + zigzag) / period) % 1
    cloth.bgr[:] = np.take(colors, np.minimum((phase * len(colors)).astype(np.intp), len(colors) - 1), axis=0)
    return cloth.finish()


def _honeycomb(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Hexagons of 8 to 20 mm with a gap, some of them in another ink."""
    size, gap, other = draw_units(3, seed, "hexagon")
    radius = 0.45 + 0.6 * size
    across, up = radius * np.sqrt(3), radius * 1.5
    columns, rows = max(2, round(5 / across)), 2 * max(1, round(2.5 / up))
    size_cm = (across * columns, up * rows)
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    row, column = (axis.ravel() for axis in np.mgrid[0:rows, 0:columns])
    centers = np.stack([(column + 0.5 * (row % 2)) * across, row * up], axis=1)
    inks = np.array(palette.inks, np.uint8)
    picks = (draw_array(len(centers), seed, "inks") * len(inks)).astype(int)
    hexagon = circle(6) @ np.array([[0.0, 1.0], [1.0, 0.0]])
    cloth.fill(place(hexagon, centers, radius * (0.94 - 0.14 * gap)), inks[picks])
    if other > 0.4:
        cloth.fill(place(hexagon, centers, radius * (0.74 - 0.3 * gap)), palette.ground)
    return cloth.finish()


def _triangles(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Squares of 12 to 25 mm cut into four triangles of two colours, as pieced quilts."""
    size, flip = draw_units(2, seed, "triangle")
    side = 1.2 + 1.3 * size
    count = 2 * max(1, round(4 / side / 2))
    cloth = Cloth((side * count, side * count), pixels_per_cm, palette.ground)
    row, column = (axis.ravel() for axis in np.mgrid[0:count, 0:count])
    corners = np.stack([column, row], axis=1) * side
    turned = (row + column) % 2 * (flip < 0.7)
    inks = np.array(palette.inks, np.uint8)
    for step, shape in enumerate(([(0, 0), (0.5, 0.5), (0, 1)], [(1, 1), (0.5, 0.5), (1, 0)])):
        triangle = np.array(shape, np.float64) - 0.5
        angles = turned * np.pi / 2
        cloth.fill(place(triangle, corners + side / 2, side, angles), inks[(turned + step) % len(inks)])
    return cloth.finish()


def _scales(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Overlapping rings in rows (seigaiha), 10 to 22 mm wide."""
    size, rings = draw_units(2, seed, "scale")
    radius = 0.5 + 0.6 * size
    columns, rows = max(2, round(4 / (2 * radius))), 2 * max(2, round(2.4 / radius))
    size_cm = (2 * radius * columns, radius * 0.5 * rows)
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    # From the top down: each row covers the lower part of the one above it, beyond both ends of the tile.
    row, ring, column = (axis.ravel() for axis in np.mgrid[-1 : rows + 2, 0 : 3 + int(2 * rings), 0:columns])
    centers = np.stack([column * 2 + row % 2, row * 0.5], axis=1) * radius
    colors = np.where(ring[:, None] % 2 == 0, palette.ink(0), palette.ground).astype(np.uint8)
    cloth.fill(place(circle(28), centers, radius * (1 - 0.2 * ring)), colors, wrap_down=False)
    return cloth.finish()


def _lattice(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Diamonds of 10 to 25 mm outlined in one ink, with a dot or a smaller diamond inside."""
    size, tall, line, inner = draw_units(4, seed, "lattice")
    width = 1.0 + 1.5 * size
    height = width * (0.8 + 0.7 * tall)
    columns, rows = max(1, round(4 / width)), max(1, round(4 / height))
    cloth = Cloth((width * columns, height * rows), pixels_per_cm, palette.ground)
    row, column = (axis.ravel() for axis in np.mgrid[0 : 2 * rows, 0:columns])
    centers = np.stack([(column + 0.5 * (row % 2)) * width, row * height / 2], axis=1)
    diamond = np.array([(0.5 * width, 0), (0, 0.5 * height), (-0.5 * width, 0), (0, -0.5 * height)])
    cloth.fill(place(diamond, centers, 1.0), palette.ink(0))
    cloth.fill(place(diamond, centers, 0.9 - 0.2 * line), palette.ground)
    shape = diamond if inner < 0.5 else circle(14) * 0.3 * width
    cloth.fill(place(shape, centers, 0.3 + 0.2 * inner), palette.ink(1))
    return cloth.finish()


_KINDS: tuple[Callable[[int, Palette, float], Print], ...] = (
    _chevrons,
    _honeycomb,
    _triangles,
    _scales,
    _lattice,
)


def geometric(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """One of five geometric prints."""
    return _KINDS[int(draw_unit(seed, "geometric") * len(_KINDS))](seed, palette, pixels_per_cm)
