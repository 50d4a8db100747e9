"""Small marks at the side of a mask, or one in its middle: signs, words, stamps, flags and crosses."""

import cv2
import numpy as np

from maskgen.masking.hash_random import draw_array
from maskgen.masking.materials.decal import Decal, Mark, MarkSpec
from maskgen.masking.materials.motifs.icon_shapes import ICONS
from maskgen.masking.materials.motifs.shapes import Points, circle, place

_SANS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)
_FONTS = (*_SANS, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)


def _aside(spec: MarkSpec) -> tuple[float, float]:
    """Where a small sign goes: left or right of the middle, at the height of the mouth or below."""
    side, away, down = spec.units(3, "place")
    return ((3.0 + 1.5 * away) * (1 if side < 0.6 else -1), 0.4 + 2.4 * down)


def _letters(seed: int, least: int, most: int) -> str:
    """A word that nobody owns: consonants and vowels in turn."""
    picks = draw_array(most + 1, seed, "letters")
    count = least + int(picks[-1] * (most - least + 1))
    sounds = ("bdfgklmnprstvxz", "aeiouy")
    return "".join(sounds[k % 2][int(picks[k] * len(sounds[k % 2]))] for k in range(count))


def _swoosh() -> Points:
    along = np.linspace(0, 1, 14)
    upper = np.stack([along * 2 - 1, 0.55 - 1.5 * along**1.8 + 0.25 * np.sin(np.pi * along)], axis=1)
    lower = np.stack([along * 2 - 1, 0.55 - 1.5 * along**1.8 + 0.85 * np.sin(np.pi * along**0.7)], axis=1)
    return np.concatenate([upper, lower[::-1]])


def _shield() -> Points:
    along = np.linspace(0, 1, 10)
    right = np.stack([0.8 * np.cos(along * np.pi / 2) ** 0.7, -0.2 + 1.2 * along], axis=1)
    return np.concatenate([[(-0.8, -0.9), (0.0, -0.75), (0.8, -0.9)], right, right[::-1] * [-1, 1]])


def logo(spec: MarkSpec) -> Mark:
    """A sign of 1.5 to 3.5 cm at the side, sometimes one of 4 to 6 cm in the middle."""
    kind, size, middle, tilt = spec.units(4, "logo")
    large = middle > 0.85
    radius = 2.0 + size if large else 0.7 + 0.9 * size
    decal = Decal((2.3 * radius, 2.3 * radius), spec.pixels_per_cm)
    if kind < 0.18:
        decal.fill(place(_swoosh(), np.zeros((1, 2)), radius, 0.3 * (tilt - 0.5))[0], spec.ink)
    elif kind < 0.36:
        decal.fill(circle(40) * radius, spec.ink)
        decal.fill(circle(40) * radius * 0.84, None if tilt < 0.5 else spec.second)
        decal.text(_letters(spec.seed, 1, 2).upper(), cv2.FONT_HERSHEY_TRIPLEX, radius * 0.8, spec.ink)
    elif kind < 0.54:
        decal.fill(_shield() * radius, spec.ink)
        decal.fill(_shield() * radius * 0.84, spec.second if tilt < 0.5 else None)
        decal.fill(
            np.array([(-0.62, -0.15), (0.62, -0.15), (0.62, 0.12), (-0.62, 0.12)]) * radius, spec.accent
        )
    elif kind < 0.72:
        bars = np.array([(-0.9, 0.5), (-0.35, -0.5), (0.05, -0.5), (-0.5, 0.5)])
        for step in range(3):
            decal.fill((bars * [1, 0.6 + 0.2 * step] + [0.45 * step, 0.1 - 0.1 * step]) * radius, spec.ink)
    else:
        names = sorted(ICONS)
        for polygon, ink in ICONS[names[int(tilt * len(names))]]:
            decal.fill(polygon * radius, None if ink is None else (spec.ink, spec.second)[ink % 2])
    return decal.finish((0.0, 0.8) if large else _aside(spec), 0.94)


def word(spec: MarkSpec) -> Mark:
    """A word of 2 to 9 cm, at the side or across the mouth, sometimes with a line below."""
    size, font, middle, under = spec.units(4, "word")
    large = middle > 0.5
    high = 0.8 + 1.0 * size if large else 0.28 + 0.3 * size
    word = _letters(spec.seed, 3, 8)
    word = word.upper() if under < 0.6 else word.capitalize()
    decal = Decal((min(10.0, 1.15 * high * len(word) + 0.4), 2.4 * high), spec.pixels_per_cm)
    decal.text(word, _FONTS[int(font * len(_FONTS))], high, spec.ink, -0.15 * high, 0.1 + 0.1 * size)
    if under > 0.75:
        half = 0.4 * decal.size_cm[0]
        decal.line(np.array([(-half, 0.75 * high), (half, 0.75 * high)]), 0.1 * high, spec.accent)
    return decal.finish((0.0, 0.6) if large else _aside(spec), 0.92)


def stamp(spec: MarkSpec) -> Mark:
    """The printed lines of a respirator: the standard, numbers and a class, in grey or blue."""
    kind, digits, many, high = spec.units(4, "stamp")
    high = 0.3 + 0.15 * high
    standard = ("KN95", "FFP2 NR", "FFP3 R D", "N95", "KF94")[int(kind * 5)]
    lines = [
        standard,
        f"EN {100 + int(digits * 899)}",
        f"{_letters(spec.seed, 2, 3).upper()}-{int(many * 9999):04d}",
    ]
    lines = lines[: 2 + int(many * 2)]
    ink = (126, 124, 121) if digits < 0.6 else (146, 108, 78)
    decal = Decal((3.4, high * 1.9 * len(lines)), spec.pixels_per_cm)
    for row, line in enumerate(lines):
        y_cm = (row - (len(lines) - 1) / 2) * high * 1.8
        size, bold = (1.15, 0.17) if row == 0 else (0.8, 0.12)
        decal.text(line, _SANS[row % 2], high * size, ink, y_cm, bold)
    return decal.finish(_aside(spec), 0.75)


def flag(spec: MarkSpec) -> Mark:
    """A little flag of two or three stripes, sometimes with a triangle or a disc."""
    size, kind, way = spec.units(3, "flag")
    colors = ((52, 44, 160), (222, 228, 230), (118, 72, 44), (84, 118, 58), (70, 176, 214), (40, 38, 40))
    picks = [int(value * len(colors)) for value in spec.units(4, "stripes")]
    high = 1.0 + 1.1 * size
    wide = 1.55 * high
    decal = Decal((wide, high), spec.pixels_per_cm)
    count = 3 if kind < 0.7 else 2
    box = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    for stripe in range(count):
        share = (stripe + 0.5) / count - 0.5
        part = box * [1, 1 / count] + [0, share] if way < 0.6 else box * [1 / count, 1] + [share, 0]
        # Neighbours differ.
        decal.fill(part * [wide, high], colors[(picks[0] + stripe * (1 + picks[1] % 2)) % len(colors)])
    if kind > 0.85:
        decal.fill(
            np.array([(-0.5, -0.5), (-0.12, 0.0), (-0.5, 0.5)]) * [wide, high], colors[(picks[0] + 4) % 6]
        )
    elif kind > 0.6:
        decal.fill(circle(24) * 0.26 * high, colors[(picks[0] + 3) % 6])
    return decal.finish(_aside(spec) if way < 0.8 else (0.0, 0.9), 0.95)


def cross(spec: MarkSpec) -> Mark:
    """Two crossed strokes, upright or slanting, in the middle or small at the side."""
    size, way, middle, bold = spec.units(4, "cross")
    radius = 1.6 + 1.3 * size if middle > 0.5 else 0.6 + 0.5 * size
    decal = Decal((2.2 * radius, 2.2 * radius), spec.pixels_per_cm)
    bar = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * [0.95, 0.12 + 0.16 * bold]
    first = np.pi / 4 if way < 0.5 else 0.0
    for turn in (first, first + np.pi / 2):
        decal.fill(place(bar, np.zeros((1, 2)), radius, turn)[0], spec.ink)
    return decal.finish((0.0, 0.9) if middle > 0.5 else _aside(spec), 0.94)
