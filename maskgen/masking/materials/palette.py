"""Palettes: the few colours of a print, each print a little different from the next."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.hash_random import draw_array, draw_unit
from maskgen.records import Image

# sRGB values between which printed cloth lies: the deepest black still reflects, the whitest is not paper.
_BLACKEST, _WHITEST = 22.0, 244.0


@dataclass(frozen=True)
class Palette:
    """Colours of a print: BGR. The ground is the cloth's, the inks lie on it."""

    ground: tuple[int, int, int]
    inks: tuple[tuple[int, int, int], ...]

    def colors(self) -> Image:
        """(1 + inks, 3): the ground and the inks."""
        return np.array([self.ground, *self.inks], np.uint8)

    def ink(self, index: int) -> tuple[int, int, int]:
        """One of the inks; indices beyond the last start again."""
        return self.inks[index % len(self.inks)]


def lab_to_bgr(lab: NDArray[np.float32], blackest: float = _BLACKEST) -> Image:
    """(n, 3) colours of CIE Lab (L 0-100), limited to what cloth can have, as BGR.

    blackest: the least value of a channel in sRGB; by default that of printed cloth.
    """
    bgr = cv2.cvtColor(np.ascontiguousarray(lab, np.float32)[None], cv2.COLOR_Lab2BGR)[0] * 255
    limited: Image = np.round(np.clip(bgr, blackest, _WHITEST)).astype(np.uint8)
    return limited


def bgr_to_lab(bgr: Image) -> NDArray[np.float32]:
    """(n, 3) BGR colours as CIE Lab (L 0-100)."""
    lab: NDArray[np.float32] = cv2.cvtColor(
        bgr[None].astype(np.float32) / np.float32(255), cv2.COLOR_BGR2Lab
    )[0]
    return lab


def draw_palette(choices: tuple[str, ...], seed: int) -> Palette:
    """One of the palettes ("rrggbb rrggbb ...", the ground first), with small differences of dye.

    Its inks are washed out, too: they come near to the ground by up to an eighth.
    """
    words = choices[int(draw_unit(seed, "palette") * len(choices))].split()
    bgr = np.array([list(bytes.fromhex(word))[::-1] for word in words], np.uint8)
    lab = bgr_to_lab(bgr)
    shifts = draw_array(3 * len(lab) + 4, seed, "dye") * 2 - 1
    lab += shifts[4:].reshape(-1, 3) * np.array([2.5, 2.5, 2.5], np.float32)
    lab[:, 0] += 3 * shifts[0]
    lab[:, 1:] *= 0.88 + 0.12 * shifts[1]
    washed = 0.06 + 0.06 * shifts[2]
    lab[1:] += (lab[0] - lab[1:]) * washed
    return _palette(lab_to_bgr(lab))


def _palette(bgr: Image) -> Palette:
    rows = [(int(b), int(g), int(r)) for b, g, r in bgr]
    return Palette(rows[0], tuple(rows[1:]))
