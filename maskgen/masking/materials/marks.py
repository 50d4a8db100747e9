"""Marks by name: what is printed or sewn at one place of a mask, from a small sign to a row of teeth."""

from collections.abc import Callable

import numpy as np

from maskgen.errors import UsageError
from maskgen.masking.materials import large_marks, small_marks
from maskgen.masking.materials.decal import Color, Mark, MarkSpec
from maskgen.masking.materials.palette import draw_palette

# Main ink, second ink and accent, for cloth darker and lighter than the middle.
_ON_DARK = (
    "26262a e6e4de 9b9da1 b23a40", "26262a d9d7d2 8f9296 d6ae4c", "26262a c9c7c2 77797d 6f97bb",
    "26262a ecebe7 a9abae c9a2a8", "26262a e2e1dd 8f9296 86a393", "26262a cfae62 8f7a4a e3e0d6",
    "26262a b5434a e3e0d8 77797d", "26262a 93b5c9 e3e4e2 4f7fa3",
)  # fmt: skip
_ON_LIGHT = (
    "e6e4de 2a2a2d 77797d a8343b", "e6e4de 303034 8f9296 4f7fa3", "e6e4de 26262a 5f6f63 c98a6b",
    "e6e4de 3b3d42 6a8a78 b5655f", "e6e4de 6f7176 9b9da1 b98a3f", "e6e4de 2c4270 7f93b5 b5434a",
    "e6e4de 5a5d62 9b9da1 3f6a94", "e6e4de 9b3138 c98488 2b3350", "e6e4de 35584a 86a393 b98a3f",
    "e6e4de 4a6f93 93abc2 2a2a2d",
)  # fmt: skip

MARKS: dict[str, Callable[[MarkSpec], Mark]] = {
    "cross": small_marks.cross,
    "embroidery": large_marks.embroidery,
    "flag": small_marks.flag,
    "logo": small_marks.logo,
    "moustache": large_marks.moustache,
    "skull": large_marks.skull,
    "smile": large_marks.smile,
    "stamp": small_marks.stamp,
    "teeth": large_marks.teeth,
    "word": small_marks.word,
    "zip": large_marks.zipper,
}


def draw_mark(kind: str, seed: int, pixels_per_cm: float, cloth: Color = (38, 38, 40)) -> Mark:
    """Draw a mark from a seed.

    Args:
        kind: One of `MARKS`.
        seed: Decides everything about the mark but its resolution.
        pixels_per_cm: The resolution, of which more than 60 are left out.
        cloth: BGR colour that the inks must show on.

    Raises:
        UsageError: There is no such mark.
    """
    if kind not in MARKS:
        raise UsageError(f"mark must be one of {', '.join(MARKS)}; got {kind!r}")
    dark = float(np.dot(cloth, (0.114, 0.587, 0.299))) < 110
    palette = draw_palette(_ON_DARK if dark else _ON_LIGHT, seed)
    return MARKS[kind](MarkSpec(seed, pixels_per_cm, palette.ink(0), palette.ink(1), palette.ink(2), dark))
