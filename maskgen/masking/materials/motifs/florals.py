"""Flowered cloth: small ditsy blossoms, and large painted ones."""

import numpy as np

from maskgen.masking.hash_random import draw_array, draw_unit, draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.motifs.shapes import Points, circle, flower, leaf, place, scatter
from maskgen.masking.materials.palette import Palette, bgr_to_lab, lab_to_bgr
from maskgen.records import Image

# Ground, leaf, heart of the blossoms, and blossoms.
SMALL = (
    "ece7dd 7d8f72 d8b25a c2606c d99aa0", "27314b 6f8a7a e0c070 e4dcd2 c9808a",
    "2a2a2d 66795f d9b65c d9d2c8 b9525c", "dde4e6 7f988c e6cf8a 5d7fae 9fb6d3",
    "e9d5d3 83977a e9d9a0 b85868 f3ece8", "e8dfc4 70815a b8743c c9823f a84b3f",
    "3e5a52 8fa58a e6cd86 e8e0d4 d69a8c", "7f2f38 5f7358 e4c77a e8dcd0 d79a98",
    "e9e7e4 8ba08c dcc06f 8a78ab b9abd0", "f0e9da 8aa06a e07a4f e0b23f f5efe2",
    "8fa9bf dfe5da f0e3b0 f2efe9 c0707c",
)  # fmt: skip
LARGE = (
    "ebe6dd 6f8a68 d8b35e b9505e d88a8f e7c3bd", "262a35 5d7a66 d9b765 c4616c e0a39c e9d6c8",
    "27272a 5c7058 d6b15f a83f4a cf7f80 d9c9bd", "dfe5e8 6f8f80 e8d28a 4f6fa3 8ea7cc d0dbe6",
    "d9c3be 64806a e9d9a4 94404f c77883 f0e2da", "304a4a 86a184 e3c874 d98a6e ebbfa0 f0e4d2",
    "eee6d2 6b8352 e0a93f cf6a45 e3a06b f1d7ab", "e5e2ea 7d937f e6d089 6f5a92 a892c0 d6cbe2",
    "7a8fa6 46604f f0dfa0 f0ece6 dfc4c4 b56573",
)  # fmt: skip


def _tones(color: tuple[int, int, int], steps: tuple[float, ...]) -> Image:
    """(steps, 3): the colour at other lightnesses, as one ink printed thick or thin."""
    lab = np.repeat(bgr_to_lab(np.array([color], np.uint8)), len(steps), axis=0)
    lab[:, 0] += np.array(steps, np.float32)
    return lab_to_bgr(lab)


def floral_small(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Blossoms of 5 to 11 mm with two leaves each, thrown about, and specks between them."""
    size, gap, petals, depth = draw_units(4, seed, "ditsy")
    radius = 0.25 + 0.3 * size
    pitch = 2 * radius * (1.35 + 0.8 * gap)
    size_cm, centers, between, draws = scatter(pitch, 5.0, 0.24, seed, "places")
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    angles = draws[:, 1] * 2 * np.pi
    sizes = radius * (0.6 + 0.55 * draws[:, 0])
    leaves = _tones(palette.ink(0), (-6, 5))
    for step, turn in enumerate((0.5, 2.4)):
        cloth.fill(place(leaf(0.28, 5), centers, sizes * (1.5 + 0.4 * step), angles + turn), leaves[step])
    cloth.fill(place(circle(8), between, radius * 0.16), palette.ink(1 + int(3 * gap)))
    inks = np.array([palette.ink(index) for index in range(2, max(3, len(palette.inks)))], np.uint8)
    picks = (draws[:, 2] * len(inks)).astype(int)
    blossom = flower(5 + int(2.2 * petals), 0.3 + 0.3 * depth, 0.8, 6)
    cloth.fill(place(blossom, centers, sizes, angles), inks[picks])
    shade = np.concatenate([_tones(palette.ink(2 + index), (-9,)) for index in range(len(inks))])
    cloth.fill(place(blossom, centers, sizes * 0.55, angles), shade[picks])
    cloth.fill(place(circle(10), centers, sizes * 0.3), palette.ink(1))
    return cloth.finish()


def _blooms(cloth: Cloth, centers: Points, sizes: Points, inks: Image, seed: int) -> None:
    """Roses or peonies: rings of petals, each ring smaller, a little turned and of another tone.

    inks: (count, tones, 3), the first tone is that of the shadows between the rings.
    """
    rings = 5
    petals, lean = draw_units(2, seed, "petals")
    turns = draw_array(rings * len(centers), seed, "turns").astype(np.float64).reshape(rings, -1) * 2 * np.pi
    toward = np.stack([np.cos(turns[0]), np.sin(turns[0])], axis=1) * (0.08 + 0.1 * lean)
    for ring in range(rings):
        size = sizes * (1 - ring / rings) ** 0.85
        outline = flower(max(3, 5 + int(2 * petals) - ring // 2), 0.16 + 0.05 * (ring % 2), 0.7, 7)
        outline = outline * (1 + 0.06 * np.sin(3 * np.arange(len(outline)) + ring))[:, None]
        where = centers + toward * (sizes * ring / rings)[:, None]
        cloth.fill(place(outline, where, size, turns[ring]), inks[:, 0])
        lit = where - 0.05 * sizes[:, None]
        cloth.fill(place(outline, lit, size * 0.88, turns[ring]), inks[:, 1 + ring % (inks.shape[1] - 1)])


def floral_large(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Blooms of 2 to 4 cm in layered tones among veined leaves, repeated every 7 to 10 cm."""
    size, gap, wild, filler = draw_units(4, seed, "bloom")
    radius = 1.0 + 0.9 * size
    pitch = 2 * radius * (1.15 + 0.35 * gap)
    size_cm, centers, small, draws = scatter(pitch, 7.5, 0.13, seed, "places", rows_apart=0.8)
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    angles = draws[:, 1] * 2 * np.pi
    greens = _tones(palette.ink(0), (-9, 0, 8))
    # Each leaf with its vein, one after the other, so that the next covers both.
    pieces, shades = [], []
    for step in range(4):
        turn = angles + step * 1.7 + draws[:, 3]
        length = radius * (1.5 + 0.5 * draws[:, (step + 2) % 4])
        vein = leaf(0.02) * [0.76, 1.0] + [0.16, 0.0]
        pieces += [place(leaf(0.26), centers, length, turn), place(vein, centers, length, turn)]
        shades += [step % 3, (step + 2) % 3]
    cloth.fill(np.concatenate(pieces), np.repeat(greens[shades], len(centers), axis=0))
    if filler > 0.3:
        turns = (angles + 2.1 * np.arange(3)[:, None]).ravel()
        spots = np.tile(small, (3, 1)) + 0.32 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        cloth.fill(place(flower(5, 0.4, 1.0, 5), spots, radius * 0.24, turns), palette.ink(4))
        cloth.fill(place(circle(8), spots, radius * 0.08), palette.ink(1))
    tones = [_tones(palette.ink(2 + k), (-12, 2, -3, 7)) for k in range(2)]
    inks = np.stack(tones)[(draws[:, 2] * 1.6).astype(int)]
    sizes = radius * (0.72 + 0.36 * draws[:, 0])
    if wild < 0.6:
        _blooms(cloth, centers, sizes, inks, seed)
    else:
        _open_flowers(cloth, centers, sizes, inks, palette.ink(1), seed)
    return cloth.finish()


def _open_flowers(
    cloth: Cloth, centers: Points, sizes: Points, inks: Image, heart: tuple[int, int, int], seed: int
) -> None:
    """Anemones or hibiscus: five or six broad petals with streaks, around a heart of another colour."""
    petals = 5 + int(2 * draw_unit(seed, "petals"))
    turns = draw_array(len(centers), seed, "turns").astype(np.float64) * 6
    petal = circle(10) * [0.5, 0.42] + [0.52, 0.0]
    for step in range(petals):
        turn = turns + 2 * np.pi * step / petals
        cloth.fill(place(petal, centers, sizes, turn), inks[:, 0])
        cloth.fill(place(petal * [0.94, 0.86], centers, sizes, turn), inks[:, 1 + step % 2])
        cloth.fill(place(leaf(0.05, 4) * 0.62, centers, sizes, turn), inks[:, 0])
    cloth.fill(place(circle(14), centers, sizes * 0.2), heart)
    cloth.fill(place(circle(10), centers, sizes * 0.09), inks[:, 0])
