"""Prints out of random fields: camouflage, leopard, tie-dye and scribbles."""

import cv2
import numpy as np

from maskgen.masking.hash_random import draw_array, draw_unit, draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.motifs.shapes import Points, circle, place, scatter
from maskgen.masking.materials.noise import fractal_noise, smooth_noise
from maskgen.masking.materials.palette import Palette
from maskgen.records import Image

CAMOUFLAGE = (
    "8a8262 4f5a3c 55432f 23241f", "a39a78 5f6b48 6b543a 2b2c27", "6f7355 3e4a34 8b8467 262820",
    "c2ad86 9a7f5a 6f5b43 b9a582", "7c7a5c 49533a 3a3a2c 1f201c",
)  # fmt: skip
CAMOUFLAGE_GREY = (
    "b9babb 85878a 4f5155 26272a", "8f9194 5d5f63 d0d0ce 2c2d30", "d9d9d7 a9abad 6f7276 3c3e42",
    "7f8b99 4d5a6b 2c3543 b6bec6", "55575b 3a3b3f 222326 7d7f83", "cf9aa2 a8646f e6c7c8 6b4a52",
)  # fmt: skip
LEOPARD = (
    "cfae7c 9a6c3c 2b2320", "d9c39a b08a58 33291f", "b98d5a 8a5a30 241d1a", "d9d4cb a9a39a 2c2b2c",
    "e3c3b8 c08f84 40302e", "8d8f93 5f6165 242427",
)  # fmt: skip
TIE_DYES = (
    "e4e6e6 8fa9c4 3f6293", "e4e6e6 7f9cbd 2b4070 5f83ad", "d9b25f cf7f5f a8546c 5f6f9c 5f9a93",
    "e3ead8 8fb08a 4a8a83 7fb0a8", "e8dde6 b58fc0 7a6aa8 6f86b4",
    "e0c27f d98a6a bf6a83 7f6fa3 6f9cb4 93b08a", "d9d9d8 8c8e92 47494e", "f0e3e2 df9fae b96a8a e6bfc4",
    "c9dcd8 6fa3a8 d9a093 e6cf9c", "ece3d3 c9a27f 8f6a54",
)  # fmt: skip
SCRIBBLES = (
    "e7e5e0 2a2a2d", "2a2a2d dcdad4", "27365a d9dde2", "a4a6a9 e9e8e4", "e4cdca 8a4c56",
    "dcd5c6 5f5142", "31414a a8b8b8",
)  # fmt: skip


def _camouflage_labels(shape: tuple[int, int], size_cm: float, inks: int, seed: int) -> Image:
    """Which colour lies on top: each ink covers a quarter to a half, where its own field is high."""
    blob = 2.2 + 1.6 * draw_unit(seed, "blob")
    labels = np.zeros(shape, np.uint8)
    for ink in range(1, inks):
        knots = max(4, round(size_cm / blob * (1 + 0.3 * ink)))
        # Real camouflage lies: blobs are longer than high.
        field = fractal_noise(shape, (round(knots * 1.5), knots), 3, seed, "camouflage", ink)
        labels[field > 0.28 * ink - 0.13] = ink
    return labels


def camouflage(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Three to four colours in ragged blobs of some centimetres; one in eight in square pixels."""
    size = 9.0
    cloth = Cloth((size, size), pixels_per_cm, palette.ground)
    colors = palette.colors()
    height, width = cloth.bgr.shape[:2]
    digital = draw_unit(seed, "digital") < 0.12
    # No finer than the print shows, with room for smooth edges: the fields cost most.
    side = round(size / 0.3) if digital else min(height, 200)
    labels = _camouflage_labels((side, side), size, len(colors), seed)
    if side == height:
        cloth.bgr[:] = np.take(colors, labels, axis=0)
    else:
        way = cv2.INTER_NEAREST if digital else cv2.INTER_CUBIC
        cloth.bgr[:] = cv2.resize(np.take(colors, labels, axis=0), (width, height), interpolation=way)
    return cloth.finish()


def _ring_pieces(draws: Points, points: int = 6) -> Points:
    """(count, 2 * points, 2): a piece of an uneven ring about (0, 0) for each row of five draws."""
    along = np.linspace(0, 1, points)[None]
    turn = draws[:, :1] * 2 * np.pi + along * (1.1 + 1.3 * draws[:, 1:2])
    thick = 0.12 + 0.2 * np.sin(np.pi * along) * (0.6 + 0.8 * draws[:, 2:3])
    radius = 0.8 + 0.14 * np.sin(turn * 2 + 6 * draws[:, 3:4]) + 0.05 * np.sin(turn * 5 + 6 * draws[:, 4:5])
    ray = np.stack([np.cos(turn), np.sin(turn)], axis=2)
    outer, inner = ray * (radius + thick)[:, :, None], ray * (radius - thick)[:, :, None]
    return np.concatenate([outer, inner[:, ::-1]], axis=1)


def leopard(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Broken rings of 8 to 20 mm around darker spots, with crumbs between them."""
    size, gap = draw_units(2, seed, "leopard")
    radius = 0.35 + 0.5 * size
    pitch = 2 * radius * (1.25 + 0.3 * gap)
    size_cm, centers, crumbs, draws = scatter(pitch, 6.0, 0.22, seed, "places", rows_apart=0.66)
    cloth = Cloth(size_cm, pixels_per_cm, palette.ground)
    sizes = radius * (0.65 + 0.5 * draws[:, 0])
    squeeze = np.array([1.0, 0.8])
    cloth.fill(place(circle(14) * squeeze * 0.8, centers, sizes, draws[:, 1] * 3), palette.ink(0))
    ring = draw_array(15 * len(centers), seed, "ring").astype(np.float64).reshape(3, -1, 5)
    for step in range(3):
        ring[step, :, 0] = ring[0, :, 0] + step / 3 + 0.08 * ring[step, :, 0]
        pieces = _ring_pieces(ring[step]) * squeeze
        kept = (ring[step, :, 4] > 0.12) | (step == 0)
        cosine, sine = np.cos(draws[:, 1] * 3), np.sin(draws[:, 1] * 3)
        turn = np.stack([np.stack([cosine, sine], axis=1), np.stack([-sine, cosine], axis=1)], axis=1)
        cloth.fill(((pieces @ turn) * sizes[:, None, None] + centers[:, None])[kept], palette.ink(1))
    blob = circle(10) * (1 + 0.25 * np.sin(3 * np.arange(10)))[:, None]
    cloth.fill(
        place(blob * squeeze, crumbs, radius * (0.14 + 0.22 * draws[:, 2]), draws[:, 3] * 6), palette.ink(1)
    )
    return cloth.finish()


def _ramp(colors: Image) -> Image:
    """(256, 1, 3): a colour map through the colours and back to the first, without steps."""
    around = np.concatenate([colors, colors[:1]]).astype(np.float32)
    places = np.linspace(0, len(colors), 256)
    channels = [np.interp(places, np.arange(len(around)), around[:, channel]) for channel in range(3)]
    ramp: Image = np.round(np.stack(channels, axis=1)).astype(np.uint8)[:, None]
    return ramp


def tie_dye(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Dye that ran in folded cloth: spirals, crumpled clouds or wavy bands, with pale creases."""
    kind, arms, turns, crease = draw_units(4, seed, "tie-dye")
    size = 18.0
    cloth = Cloth((size, size), pixels_per_cm, palette.ground, smooth=True)
    height, width = cloth.bgr.shape[:2]
    # Dye has no sharp edges: ten pixels a centimetre show all of it.
    side = min(height, 180)
    places = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * np.float32(2 * np.pi / side)
    x, y = places[None], places[:, None]
    cloud = fractal_noise((side, side), (5, 5), 4, seed, "cloud")
    if kind < 0.45:
        # Four whirls, alternately left and right.
        across, down = np.sin(x), np.sin(y)
        away = np.sqrt(across**2 + down**2)
        level = (
            np.arctan2(down, across) * ((1 + int(3 * arms)) / (2 * np.pi))
            + (0.4 + turns) * away
            + 0.09 * cloud
        )
    elif kind < 0.75:
        level = 0.5 + 0.2 * cloud
    else:
        level = (2 + int(4 * arms)) * y / np.float32(2 * np.pi) + 0.12 * cloud
    folds = np.abs(fractal_noise((side, side), (9, 9), 3, seed, "crease"))
    pale = (0.1 + 0.4 * crease) * np.exp(-((folds / 0.3) ** 2)) * (0.5 + 0.4 * cloud)
    colors = cv2.applyColorMap(np.floor((level % 1) * 255).astype(np.uint8), _ramp(palette.colors()))
    lightest = palette.colors()[np.argmax(palette.colors().sum(axis=1))].astype(np.float32)
    dyed = colors + (lightest - colors) * np.clip(pale, 0, 1)[:, :, None]
    cloth.bgr[:] = cv2.resize(dyed.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return cloth.finish()


def scribbles(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Marble veins, crackle or brush dabs: an abstract print of two colours."""
    kind, fine, bold = draw_units(3, seed, "scribble")
    side = 7.0
    cloth = Cloth((side, side), pixels_per_cm, palette.ground)
    height, width = cloth.bgr.shape[:2]
    shape = (height, width)
    knots = 5 + int(6 * fine)
    if kind < 0.6:
        field = np.full(shape, 9.0, np.float32)
        for layer in range(2):
            vein = np.abs(fractal_noise(shape, (knots, knots), 2, seed, "vein", layer))
            field = np.minimum(field, vein / (0.06 + 0.1 * bold))
        covered = field < 1
    else:
        covered = smooth_noise(shape, (knots * 4, knots), seed, "dab") > 0.75
    cloth.bgr[covered] = palette.ink(0)
    return cloth.finish()
