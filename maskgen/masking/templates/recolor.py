"""Recolour templates and print patterns on them; the drawn shading is kept."""

import re

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import UsageError
from maskgen.masking.materials.prints import draw_print
from maskgen.records import Image

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
# A template's image shows about as much cloth from side to side, and its prints are drawn in centimetres.
_WIDTH_CM = 15.0
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
    """Print one of `prints.MOTIFS` on the cloth of a (height, width, 4) uint8 template.

    Its colours, size and arrangement are drawn from ``seed``.
    """
    height, width = bgra.shape[:2]
    tile = draw_print(pattern, seed, width / _WIDTH_CM).tile
    repeats = -(-height // tile.shape[0]), -(-width // tile.shape[1]), 1
    return _dye(bgra, np.tile(tile, repeats)[:height, :width].astype(np.float32))
