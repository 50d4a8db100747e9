"""Marks over the whole front of a mask: mouths and other jokes, and embroidery on both cheeks."""

import numpy as np

from maskgen.masking.hash_random import draw_array
from maskgen.masking.materials.decal import Decal, Mark, MarkSpec
from maskgen.masking.materials.motifs.shapes import Points, circle, ellipse, flower, leaf, place


def _curve(width: float, sag: float, count: int = 20) -> Points:
    """(count, 2): a hanging curve about (0, 0)."""
    x = np.linspace(-1, 1, count)
    return np.stack([x * width / 2, sag * (1 - x**2) - sag / 2], axis=1)


def teeth(spec: MarkSpec) -> Mark:
    """A grin of 7 to 10 cm: lips around a row or two of teeth."""
    width, sag, rows, lips = spec.units(4, "teeth")
    half, deep = (7 + 3 * width) / 2, 1.4 + 1.0 * sag
    decal = Decal((2 * half + 1.2, 2 * deep + 1.4), spec.pixels_per_cm)
    across = np.linspace(-1, 1, 24)
    top = np.stack([across * half, 0.5 * deep * (1 - across**2) - deep * 0.6], axis=1)
    bottom = np.stack([across * half, 1.7 * deep * (1 - across**2) ** 0.8 - deep * 0.6], axis=1)
    mouth = np.concatenate([top, bottom[::-1]])
    decal.line(mouth, 0.7, (62, 56, 150) if lips < 0.6 else (70, 66, 70))
    decal.fill(mouth, (220, 226, 228))
    for x in np.linspace(-0.86, 0.86, 8 + 2 * int(3 * rows)) * half:
        ends = [(x, float(np.interp(x, edge[:, 0], edge[:, 1]))) for edge in (top, bottom)]
        decal.line(np.array(ends), 0.08, (92, 90, 94))
    if rows > 0.4:
        decal.line((top + bottom) / 2, 0.11, (80, 76, 82))
    return decal.finish((0.0, 0.8), 0.94)


def skull(spec: MarkSpec) -> Mark:
    """A skull's jaws over the whole front, in bone: the nose's hole, cheek bones, and long teeth."""
    wide, tall, narrow = spec.units(3, "skull")
    width, bone, hole = 11 + 2 * wide, (212, 220, 222), (36, 33, 34)
    decal = Decal((width, 9.0), spec.pixels_per_cm)
    along = np.linspace(0, np.pi, 18)
    cheeks = np.array(
        [
            (0.5, -2.6),
            (0.36, -3.2),
            (0.14, -2.6),
            (0.1, -3.6),
            (-0.1, -3.6),
            (-0.14, -2.6),
            (-0.36, -3.2),
            (-0.5, -2.6),
        ]
    )
    lower = np.stack([-0.46 * np.cos(along), -1.6 + 5.6 * np.sin(along) ** 0.7], axis=1)
    decal.fill(np.concatenate([cheeks, lower]) * [width, 1], bone)
    nose = np.array([(0, -3.0), (0.8, -1.5), (0.4, -1.2), (0, -1.6), (-0.4, -1.2), (-0.8, -1.5)])
    decal.fill(nose, hole)
    mouth = np.stack([0.4 * width * np.cos(2 * along), 0.95 + 1.75 * np.sin(2 * along)], axis=1)
    decal.fill(mouth, hole)
    for side in (-1, 1):
        hollow = np.array([(0.5, -1.4), (0.3, -1.2), (0.26, -0.3), (0.38, 0.9), (0.5, 1.4)])
        decal.fill(hollow * [side * width, 1], hole)
    count = 9 + 2 * int(2 * narrow)
    for x in np.linspace(-0.92, 0.92, count):
        bend, length = -0.55 * x * x, (1.5 - 0.7 * x * x) * (0.8 + 0.3 * tall)
        for edge, way in ((-0.1, -1), (0.25, 1)):
            middle = 0.8 + edge + bend * 0.4 + way * length / 2
            decal.fill(ellipse(0.4 * width * x, middle, 0.33 * width / count, 0.55 * length, 12), bone)
            decal.line(
                np.array([(0.0, way * 0.75), (0.0, way * 1.5)]) * length + [0.4 * width * x, 0.8], 0.07, hole
            )
    return decal.finish((0.0, 0.8), 0.93)


def zipper(spec: MarkSpec) -> Mark:
    """A zip across the mouth, with its slider to one side."""
    width, sag, slider, metal = spec.units(4, "zip")
    wide = 7.5 + 2.5 * width
    decal = Decal((wide + 1, 3.6), spec.pixels_per_cm)
    shine = (170, 176, 178) if metal < 0.6 else (90, 160, 190)
    path = _curve(wide, 0.3 + 0.9 * sag, 40)
    decal.line(path, 0.75, (52, 48, 50))
    for index, point in enumerate(path):
        side = 0.16 if index % 2 else -0.16
        decal.fill(
            point
            + np.array(
                [(-0.08, side - 0.15), (0.08, side - 0.15), (0.08, side + 0.15), (-0.08, side + 0.15)]
            ),
            shine,
        )
    grip = path[int((0.1 + 0.8 * slider) * 39)]
    decal.fill(ellipse(0, 0, 0.3, 0.42) + grip, shine)
    decal.fill(np.array([(-0.14, 0.3), (0.14, 0.3), (0.2, 1.25), (-0.2, 1.25)]) + grip, shine)
    decal.fill(ellipse(0, 1.0, 0.09, 0.14, 8) + grip, (60, 56, 58))
    return decal.finish((0.0, 0.9), 0.96)


def moustache(spec: MarkSpec) -> Mark:
    """A curled moustache of 7 to 10 cm below the nose."""
    width, curl = spec.units(2, "moustache")
    wide = 3.5 + 1.5 * width
    decal = Decal((2 * wide + 0.6, 0.9 * wide), spec.pixels_per_cm)
    along = np.linspace(0, 1, 18)
    spine = np.stack([along, 0.22 * np.sin(np.pi * along**0.7) - (0.3 + 0.2 * curl) * along**3], axis=1)
    thick = np.stack(
        [0 * along, 0.03 + 0.2 * (1 - along) ** 0.8 * np.sin(np.pi * (0.25 + 0.75 * along)) ** 0.5], axis=1
    )
    half = np.concatenate([spine - thick, (spine + thick)[::-1]])
    for side in (-1, 1):
        decal.fill(half * [side, 1] * wide, spec.ink if spec.on_dark else (36, 40, 48))
    return decal.finish((0.0, 0.2), 0.95)


def smile(spec: MarkSpec) -> Mark:
    """A smile as one stroke, with dimples; some with a tongue or whiskers and a nose, as a cat's."""
    width, sag, kind, bold = spec.units(4, "smile")
    wide = 4 + 4 * width
    decal = Decal((wide + 3.0, 4.6), spec.pixels_per_cm)
    stroke = 0.14 + 0.2 * bold
    if kind < 0.6:
        path = _curve(wide, 0.8 + 0.9 * sag)
        decal.line(path, stroke, spec.ink)
        for side, end in ((-1, path[0]), (1, path[-1])):
            decal.line(end + np.array([(-0.3, 0.1 * side), (0.3, -0.1 * side)]), stroke, spec.ink)
        if kind < 0.2:
            decal.fill(ellipse(0.18 * wide, path[10, 1] + 0.35, 0.5, 0.62), spec.accent)
        return decal.finish((0.0, 0.9), 0.93)
    for side in (-1, 1):
        decal.line(_curve(1.3, 0.75) + np.array([side * 0.65, 0.45]), stroke, spec.ink)
        for turn in (-0.25, 0.05, 0.35):
            reach = np.array([(0.3 * wide * side, turn), ((0.3 * wide + 1.6) * side, 2.2 * turn)])
            decal.line(reach, 0.8 * stroke, spec.ink)
    decal.fill(np.array([(-0.36, -0.35), (0.36, -0.35), (0, 0.08)]), spec.accent if kind < 0.8 else spec.ink)
    return decal.finish((0.0, 0.5), 0.93)


def embroidery(spec: MarkSpec) -> Mark:
    """Two sprays of flowers, one the mirror of the other, sewn on both cheeks."""
    size, lean, petals = spec.units(3, "spray")
    decal = Decal((11.0, 7.0), spec.pixels_per_cm)
    spots = draw_array(18, spec.seed, "spray").astype(np.float64).reshape(6, 3)
    stem = np.stack(
        [1.6 + 2.2 * np.linspace(0, 1, 9) ** (0.6 + lean), 2.8 - 5.2 * np.linspace(0, 1, 9)], axis=1
    )
    for side in (-1, 1):
        mirror = np.array([side, 1.0])
        decal.line(stem * mirror, 0.1, spec.second)
        for index in range(6):
            where = stem[1 + index] + (spots[index, :2] - 0.5) * [1.9, 0.6]
            blade = place(leaf(0.3), stem[None, 1 + index], 0.8 + 0.5 * spots[index, 2], spots[index, 0] * 6)[
                0
            ]
            decal.fill(blade * mirror, spec.second)
            if index % 2 == 0:
                bloom = place(
                    flower(5 + int(2 * petals), 0.35), where[None], 0.45 + 0.35 * size, spots[index, 1]
                )[0]
                decal.fill(bloom * mirror, spec.accent)
                decal.fill((circle(10) * 0.2 + where) * mirror, spec.ink)
    return decal.finish((0.0, 0.4), 0.96)
