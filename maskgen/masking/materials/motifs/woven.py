"""Prints that a loom makes: plaid, gingham, checks and stripes out of coloured threads."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.hash_random import draw_array, draw_unit, draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.palette import Palette
from maskgen.records import Image

Plane = NDArray[np.float32]

PLAIDS = (
    "a3262b 22262f 2f4a3a e2d9c2", "27344f 7f2a33 1d2129 c9c3ae", "2c4a3c 20283a 8f2d32 d6c88f",
    "8b8d90 3a3c41 dcdad4 9a3237", "c6b08c 2c2b2d e9e2d2 9c3438", "d9d4cb 3b4e6e 8f9bb0 b0494d",
    "3d3f45 1f2024 7d8086 c9c7c2", "6d7f94 e4e3dd 2d3a52 b98a86", "b98d8f f0e7df 6f5560 d8c3b5",
)  # fmt: skip
GINGHAMS = (
    "ebe8e1 a52d33", "ebe9e4 2c3f63", "eae8e3 29292c", "ece9e2 6b8fb5", "ece8e2 d08d99",
    "ebe8e0 4b7558", "ece8df 8a7a5f", "eae6e2 77608a", "ece7da c9a24a", "e9e7e3 77787b",
)  # fmt: skip
CHECKS = (
    "e7e3db 2a2a2d", "a72c30 242225", "e5e1da 31456a", "d9d2c4 6e5a48", "e3e0dc 84868a",
    "2f3237 c9c7c2", "e6d6d2 a0525c", "3a4a3f c6c1a8", "27324a cfd2d6",
)  # fmt: skip
STRIPES = (
    "ebe8e1 27375a", "e9e6de 2b2b2e", "e8e4da a8373b", "dfe3e6 6c8fb4 33507c",
    "ece6da c98a6b 8aa39a 47647d", "22252e d8d6d0 8c2f35", "ead9d6 c47c86 8e5a6b", "e5dfd0 7a8b6a",
    "d8c7a8 6b4a3a 2f2f33", "77797d d9d8d4", "e9e2d4 d3a550 bb5a44 4a7a86 31405f",
)  # fmt: skip
PINSTRIPES = (
    "2a2f3d c3c6cc", "28282b a9aaad", "57626f d4d8dc", "3d4038 b9b59f", "dde1e6 6b86ab",
    "e9e7e2 5c5f66", "c7d3e0 f0f1f0", "4b2f36 c9b4b4", "8c8e92 e2e1dd",
)  # fmt: skip


def _bands(widths_cm: list[float] | NDArray[np.float64], colors: Image, length: int) -> Plane:
    """(length, 3): bands of colour after each other, over the whole of the length."""
    ends = np.cumsum(widths_cm) / np.sum(widths_cm)
    places = (np.arange(length) + 0.5) / length
    picks = np.minimum(np.searchsorted(ends, places, side="right"), len(ends) - 1)
    bands: Plane = colors[picks].astype(np.float32)
    return bands


def _weave(cloth: Cloth, warp: Plane, weft: Plane) -> Print:
    """Cross (width, 3) warp with (height, 3) weft in a twill, whose diagonals show where pixels are small."""
    if cloth.pixels_per_cm < 12:
        cloth.bgr[:] = cv2.addWeighted(
            np.broadcast_to(warp[None], cloth.bgr.shape),
            0.5,
            np.broadcast_to(weft[:, None], cloth.bgr.shape),
            0.5,
            0.5,
        )
        return cloth.finish()
    x, y = cloth.places()
    lines = [max(1, round(side / 0.11)) for side in cloth.size_cm]
    share = 0.5 + 0.32 * np.sin(2 * np.pi * (x * lines[0] + y * lines[1]))
    cloth.bgr[:] = warp[None] * share[:, :, None] + weft[:, None] * (1 - share[:, :, None]) + 0.5
    return cloth.finish()


def plaid(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """A tartan: the same mirrored sequence of bands both ways, repeated every 3 to 8 cm."""
    repeat, count, same, narrow = draw_units(4, seed, "sett")
    side = 3 + 5 * repeat**1.5
    bands = 3 + int(3 * count)
    draws = draw_array(2 * bands, seed, "bands").astype(np.float64)
    widths = 0.12 + draws[:bands] ** 2
    widths[0] += 0.8
    if narrow < 0.6:
        widths[-1] = 0.1
    colors = palette.colors()
    picks = np.array([0, *(1 + np.arange(bands - 1) % len(palette.inks))])
    # Mirrored about its first and its last band.
    mirror = [*range(bands), *range(bands - 2, 0, -1)]
    cloth = Cloth((side, side), pixels_per_cm, palette.ground)
    height, width = cloth.bgr.shape[:2]
    warp = _bands(widths[mirror], colors[picks[mirror]], width)
    if same > 0.15:
        return _weave(cloth, warp, _bands(widths[mirror], colors[picks[mirror]], height))
    turned = np.roll(picks, 1)
    return _weave(cloth, warp, _bands(widths[mirror], colors[turned[mirror]], height))


def gingham(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """White crossed with one colour in equal bands of 3 to 10 mm."""
    band = 0.3 + 0.7 * draw_unit(seed, "band") ** 1.5
    repeats = max(2, round(4 / (2 * band)))
    cloth = Cloth((2 * band * repeats,) * 2, pixels_per_cm, palette.ground)
    colors = np.tile(palette.colors()[:2], (repeats, 1))
    warp, weft = (_bands([1.0] * len(colors), colors, side) for side in cloth.bgr.shape[1::-1])
    return _weave(cloth, warp, weft)


def checks(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Windowpane, hound's-tooth, buffalo check or a chess board."""
    kind, width = draw_units(2, seed, "check")
    if kind < 0.3:
        return _houndstooth(0.5 + 0.65 * width, palette, pixels_per_cm)
    if kind < 0.55:
        side = 2 + 2.5 * width
        cloth = Cloth((side, side), pixels_per_cm, palette.ground)
        colors = palette.colors()[[0, 1, 0]]
        thin = 0.1 + 0.12 * draw_unit(seed, "line")
        warp, weft = (_bands([side / 2, thin, side / 2 - thin], colors, n) for n in cloth.bgr.shape[1::-1])
        return _weave(cloth, warp, weft)
    if kind < 0.85:
        band = 1.2 + 1.3 * width
        cloth = Cloth((2 * band, 2 * band), pixels_per_cm, palette.ground)
        warp, weft = (_bands([1.0, 1.0], palette.colors()[:2], n) for n in cloth.bgr.shape[1::-1])
        return _weave(cloth, warp, weft)
    return _board(0.5 + 0.9 * width, palette, pixels_per_cm)


def _houndstooth(repeat_cm: float, palette: Palette, pixels_per_cm: float) -> Print:
    """Four dark and four light threads both ways in a 2/2 twill: the broken checks come by themselves."""
    thread = np.arange(8)
    dark = thread < 4
    warp_above = (thread[None] - thread[:, None]) % 4 < 2
    pattern = np.where(warp_above, dark[None], dark[:, None])
    repeats = max(2, round(4 / repeat_cm))
    cloth = Cloth((repeat_cm * repeats,) * 2, pixels_per_cm, palette.ground)
    threads = palette.colors()[np.tile(pattern, (repeats, repeats)).astype(int)]
    cloth.bgr[:] = cv2.resize(threads, cloth.bgr.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return cloth.finish()


def _board(square_cm: float, palette: Palette, pixels_per_cm: float) -> Print:
    repeats = max(1, round(2 / square_cm))
    cloth = Cloth((2 * square_cm * repeats,) * 2, pixels_per_cm, palette.ground)
    fields = palette.colors()[np.indices((2 * repeats, 2 * repeats)).sum(axis=0) % 2]
    cloth.bgr[:] = cv2.resize(fields, cloth.bgr.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return cloth.finish()


def stripes(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Two to five colours in bands of 3 to 20 mm: along, across or diagonal."""
    width, even, way, gap = draw_units(4, seed, "stripe")
    count = 1 + len(palette.inks)
    draws = draw_array(2 * count, seed, "bands").astype(np.float64)
    widths: NDArray[np.float64] = (0.3 + 1.2 * width**2) * (
        np.ones(count) if even < 0.5 else 0.4 + 1.2 * draws[:count]
    )
    colors = palette.colors()
    if gap < 0.5 and count > 2:  # The ground between all the inks.
        order = np.array([place for ink in range(1, count) for place in (0, ink)])
        widths, colors = widths[order], colors[order]
    period = float(widths.sum())
    repeats = max(1, round(4 / period))
    side = period * repeats
    widths, colors = np.tile(widths, repeats), np.tile(colors, (repeats, 1))
    cloth = Cloth((side, side), pixels_per_cm, palette.ground)
    height, length = cloth.bgr.shape[:2]
    bands = _bands(widths, colors, length)
    if way < 0.25:
        row, column = np.arange(height)[:, None], np.arange(length)[None]
        cloth.bgr[:] = bands.astype(np.uint8)[(row * length // height + column) % length]
    elif way < 0.65:
        cloth.bgr[:] = bands[None]
    else:
        cloth.bgr[:] = _bands(widths, colors, height)[:, None]
    return cloth.finish()


def pinstripes(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Lines of 0.6 to 1.6 mm, 5 to 16 mm apart, upright (sometimes level)."""
    width, pitch, way = draw_units(3, seed, "pinstripe")
    thin, period = 0.06 + 0.1 * width, 0.5 + 1.1 * pitch
    repeats = max(2, round(4 / period))
    cloth = Cloth((period * repeats,) * 2, pixels_per_cm, palette.ground)
    height, length = cloth.bgr.shape[:2]
    colors = np.tile(palette.colors()[[0, 1]], (repeats, 1))
    widths = [period - thin, thin] * repeats
    cloth.bgr[:] = (
        _bands(widths, colors, length)[None] if way < 0.8 else _bands(widths, colors, height)[:, None]
    )
    return cloth.finish()
