"""Recolour templates and print patterns on them; the drawn shading is kept."""

import re
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.errors import UsageError
from maskgen.records import Image

Plane = NDArray[np.float32]
# A function of template coordinates and a generator that returns the colour index of each pixel.
Printer = Callable[[Plane, Plane, np.random.Generator], NDArray[np.int64]]

# The sixteen colour names of HTML 4.01, with orange, pink, brown and beige.
NAMED_COLORS = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff", "green": "#008000",
    "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00", "navy": "#000080", "blue": "#0000ff",
    "teal": "#008080", "aqua": "#00ffff", "orange": "#ffa500", "pink": "#ffc0cb", "brown": "#8b5a2b",
    "beige": "#e8dcc4",
}  # fmt: skip

# Chroma difference at which a pixel begins to keep its own colour: straps, wire and valve are not cloth.
_FOREIGN = 42.0
_LUMA = np.array([0.114, 0.587, 0.299], np.float32)
# Darkest and lightest cloth: shading must stay visible on it.
_DARKEST, _LIGHTEST = 14.0, 246.0


def parse_color(text: str) -> str:
    """Normalise ``#rrggbb``, ``#rgb`` or a colour name to ``#rrggbb``; ``random`` is returned unchanged."""
    word = text.strip().lower()
    if word == "random":
        return word
    word = NAMED_COLORS.get(word, word)
    if re.fullmatch("#[0-9a-f]{3}", word):
        word = "#" + "".join(2 * digit for digit in word[1:])
    if not re.fullmatch("#[0-9a-f]{6}", word):
        raise UsageError(f"colour must be #rrggbb, random or one of {', '.join(NAMED_COLORS)}; got {text!r}")
    return word


def _dye(bgra: Image, color: NDArray[np.float32]) -> Image:
    """Replace the colour of the cloth by a (3,) or (height, width, 3) colour, with the template's shading."""
    drawn, opaque = bgra[:, :, :3].astype(np.float32), bgra[:, :, 3] >= 128
    if not opaque.any():
        return bgra.copy()
    base = np.median(drawn[opaque], axis=0)
    luma = (drawn @ _LUMA)[:, :, None]
    shade = (luma / max(float(base @ _LUMA), 1.0)).astype(np.float32)
    foreign = np.linalg.norm((drawn - luma) - (base - base @ _LUMA) * shade, axis=2) / _FOREIGN
    cloth = np.clip(2 - foreign, 0, 1).astype(np.float32)[:, :, None]
    # Folds in black cloth show as sheen: on dark colours the shading is added, not multiplied.
    dyed = np.clip(color * shade + (shade - 1) * 18 * (1 - color / 255), 0, 255)
    mixed = bgra[:, :, :3] + (dyed - bgra[:, :, :3]) * cloth
    return np.dstack([np.round(mixed).astype(np.uint8), bgra[:, :, 3]])


def recolor(bgra: Image, color: str) -> Image:
    """Give the cloth of a (height, width, 4) uint8 template the colour ``#rrggbb``; the shading is kept."""
    bgr = np.array([int(color[i : i + 2], 16) for i in (5, 3, 1)], np.float32)
    return _dye(bgra, np.clip(bgr, _DARKEST, _LIGHTEST))


def print_pattern(bgra: Image, pattern: str, seed: int) -> Image:
    """Print one of `PATTERNS` on the cloth of a (height, width, 4) uint8 template.

    Its colours, size and angle are drawn from ``seed``, any non-negative number.
    """
    if pattern not in PATTERNS:
        raise UsageError(f"pattern must be one of {', '.join(PATTERNS)} or random, got {pattern!r}")
    generator = np.random.Generator(np.random.PCG64(seed))
    height, width = bgra.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) * (1024 / width)
    angle = generator.uniform(-0.15, 0.15)
    turned_x, turned_y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    # A ground colour and three inks that contrast with it.
    hues = generator.uniform(0, 180) + np.array([0.0, 90.0, 25.0, 150.0]) + generator.uniform(-10, 10, 4)
    dark = generator.uniform() < 0.5
    values = np.array([70.0, 190, 140, 225]) if dark else np.array([225.0, 120, 170, 70])
    hsv = np.stack([hues % 180, generator.uniform(35, 120, 4), values], axis=1).astype(np.uint8)
    inks = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2BGR)[0].astype(np.float32)
    index = PATTERNS[pattern](turned_x.astype(np.float32), turned_y.astype(np.float32), generator)
    # Printed edges are slightly soft: no line is sharper than a thread of the weave.
    return _dye(bgra, cv2.GaussianBlur(inks[index], (0, 0), 0.8).astype(np.float32))


def _stripes(x: Plane, y: Plane, generator: np.random.Generator) -> NDArray[np.int64]:
    period = generator.uniform(28, 64)
    along = x if generator.uniform() < 0.5 else y
    phase = along / period % 1
    return np.where(phase < 0.45, 1, np.where((phase > 0.7) & (phase < 0.76), 2, 0))


def _checks(x: Plane, y: Plane, generator: np.random.Generator) -> NDArray[np.int64]:
    period = generator.uniform(36, 72)
    return np.asarray((x / period % 1 < 0.5).astype(np.int64) + (y / period % 1 < 0.5), np.int64)


def _dots(x: Plane, y: Plane, generator: np.random.Generator) -> NDArray[np.int64]:
    period = generator.uniform(44, 80)
    row = np.floor(y / period)
    dx = ((x / period + 0.5 * (row % 2)) % 1) - 0.5
    dy = (y / period % 1) - 0.5
    return np.asarray(dx**2 + dy**2 < generator.uniform(0.05, 0.1), np.int64)


def _floral(x: Plane, y: Plane, generator: np.random.Generator) -> NDArray[np.int64]:
    index = np.zeros(x.shape, np.int64)
    spacing = 86.0
    for row in range(-2, 14):
        for column in range(-2, 15):
            cx, cy = (np.array([column + 0.5 * (row % 2), row]) + generator.uniform(-0.22, 0.22, 2)) * spacing
            radius, turn = generator.uniform(20, 36), generator.uniform(0, 2 * np.pi)
            ink = int(generator.integers(1, 4))
            # Only the pixels in the square around a flower are computed.
            near = (np.abs(x - cx) < radius) & (np.abs(y - cy) < radius)
            dx, dy = x[near] - cx, y[near] - cy
            distance, around = np.hypot(dx, dy), np.arctan2(dy, dx) + turn
            petals = distance < radius * (0.55 + 0.42 * np.cos(5 * around))
            index[near] = np.where(distance < radius * 0.2, ink % 3 + 1, np.where(petals, ink, index[near]))
    return index


def _camouflage(x: Plane, y: Plane, generator: np.random.Generator) -> NDArray[np.int64]:
    def spots(scale: float) -> Plane:
        coarse = generator.standard_normal([int(size / scale) + 3 for size in x.shape]).astype(np.float32)
        return np.asarray(cv2.resize(coarse, x.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)

    index = np.zeros(x.shape, np.int64)
    for ink in (1, 2, 3):
        index[spots(70) + 0.5 * spots(28) > 0.75] = ink
    return index


def _noise(x: Plane, y: Plane, generator: np.random.Generator) -> NDArray[np.int64]:
    blocks = generator.integers(0, 4, (int(x.shape[0] / 24) + 2, int(x.shape[1] / 24) + 2))
    return np.kron(blocks, np.ones((24, 24), np.int64))[: x.shape[0], : x.shape[1]]


PATTERNS: dict[str, Printer] = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "floral": _floral,
    "camouflage": _camouflage,
    "noise": _noise,
}
