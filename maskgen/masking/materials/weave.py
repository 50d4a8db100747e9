"""Weaves: the fine light and dark of a material's surface, seen straight on, where pixels are small enough for it."""

from collections.abc import Callable
from functools import lru_cache
from math import hypot, log2

import numpy as np

from maskgen.errors import UsageError
from maskgen.masking.hash_random import draw_bits, draw_units
from maskgen.masking.materials.noise import Plane, fractal_noise

# Side of a tile in pixels, whatever they are in centimetres; and how many tiles a kind has at one resolution.
TILE_SIDE = 128
_TILES = 6
# Resolutions are rounded to this many steps an octave, so that a tile can be used again: by 4 % at most.
_STEPS = 8


class _Surface:
    """What the weaves are made of: waves and noise of lengths in centimetres, less the finer than a pixel."""

    def __init__(self, pixels_per_cm: float, seed: int) -> None:
        self.pixels_per_cm = pixels_per_cm
        self.seed = seed
        self.turns = (np.arange(TILE_SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(TILE_SIDE)

    def _seen(self, length_cm: float) -> float:
        """The share of a structure's contrast that pixels keep: none below 1.8 pixels, nearly all from 4."""
        pixels = length_cm * self.pixels_per_cm
        return min(max((pixels - 1.8) / 1.7, 0.0), 1.0) * float(np.sinc(1 / max(pixels, 1.0)))

    def noise(self, name: str, across_cm: float, down_cm: float, octaves: int = 1) -> Plane:
        """Noise with grains of the given width and height; grains below two pixels average out."""
        knots, kept = [], 1.0
        for length in (down_cm, across_cm):
            pixels = length * self.pixels_per_cm
            kept *= min(1.0, pixels / 2)
            knots.append(int(min(max(TILE_SIDE / max(pixels, 1e-3), 2), TILE_SIDE / 2)))
        if kept < 0.05:
            return np.zeros((TILE_SIDE, TILE_SIDE), np.float32)
        shape = (TILE_SIDE, TILE_SIDE)
        return fractal_noise(shape, (knots[0], knots[1]), octaves, self.seed, name) * np.float32(kept)

    def wave(self, across_cm: float, down_cm: float, bend: Plane | float = 0.0) -> Plane:
        """A sine wave that repeats every ``across_cm`` to the right and ``down_cm`` downwards (0: it does not)."""
        lengths = [length for length in (across_cm, down_cm) if length]
        cycles = [
            round(TILE_SIDE / (length * self.pixels_per_cm)) if length else 0
            for length in (across_cm, down_cm)
        ]
        along = 1 / hypot(*(1 / length for length in lengths))
        phase = self.turns[None] * cycles[0] + self.turns[:, None] * cycles[1]
        return np.sin(np.float32(2 * np.pi) * (phase + bend)).astype(np.float32) * np.float32(
            self._seen(along)
        )


def _nonwoven(surface: _Surface) -> Plane:
    """Melt-spun fabric: clouds of fibre, single fibres, and welded points in diamonds 1.6 mm apart."""
    tile = 0.008 * surface.noise("cloud", 0.5, 0.5, 2) + 0.011 * surface.noise("mottle", 0.12, 0.12, 2)
    tile += 0.010 * surface.noise("fibre", 0.14, 0.035) + 0.008 * surface.noise("fibre down", 0.035, 0.14)
    points = (surface.wave(0.16, 0.16) + surface.wave(0.16, -0.16)) / 2
    return tile - 0.05 * np.maximum(points, 0) ** 2


def _moulded(surface: _Surface) -> Plane:
    """A stiff cup's felt: coarser clouds than nonwoven, and a faint net pressed into it."""
    tile = 0.012 * surface.noise("cloud", 0.35, 0.35, 3) + 0.014 * surface.noise("fibre", 0.06, 0.06)
    return tile + 0.012 * (surface.wave(0.22, 0.22) + surface.wave(0.22, -0.22))


def _knit(surface: _Surface) -> Plane:
    """Ribs of 3 mm upright, with their stitches slanting into a V."""
    bend = 0.05 * surface.noise("bend", 0.8, 1.5)
    ribs = surface.wave(0.3, 0, bend)
    stitches = surface.wave(0.3, 0.2, bend) * np.maximum(ribs, 0) + surface.wave(
        -0.3, 0.2, bend
    ) * np.maximum(-ribs, 0)
    return 0.06 * ribs + 0.04 * stitches + 0.015 * surface.noise("yarn", 0.08, 0.2)


def _jersey(surface: _Surface) -> Plane:
    """Smooth stretch cloth: fine upright wales of 1 mm, hardly any relief."""
    wales = surface.wave(0.1, 0, 0.08 * surface.noise("bend", 0.5, 1.0))
    return (
        0.02 * wales
        + 0.007 * surface.noise("mottle", 0.1, 0.25, 2)
        + 0.006 * surface.noise("grain", 0.04, 0.04)
    )


def _cotton(surface: _Surface) -> Plane:
    """Plain woven cotton: yarns of 0.5 mm of uneven thickness, seen as faint streaks both ways."""
    tile = 0.013 * surface.noise("weft", 0.9, 0.05) + 0.013 * surface.noise("warp", 0.05, 0.9)
    return (
        tile
        + 0.022 * surface.wave(0.055, 0) * surface.wave(0, 0.055)
        + 0.006 * surface.noise("cloud", 0.4, 0.4)
    )


def _denim(surface: _Surface) -> Plane:
    """A twill: diagonal ridges 1.3 mm apart, and slubs down the warp."""
    ridges = surface.wave(0.13, 0.13, 0.1 * surface.noise("bend", 0.4, 0.4))
    return (
        0.05 * ridges + 0.028 * surface.noise("slub", 0.07, 0.9) + 0.022 * surface.noise("fleck", 0.06, 0.06)
    )


def _sponge(surface: _Surface) -> Plane:
    """Polyurethane foam or neoprene: very fine dark pores, otherwise even."""
    pores = surface.noise("pore", 0.045, 0.045)
    return 0.006 * surface.noise("cloud", 0.3, 0.3) - 0.014 * np.maximum(pores - 0.4, 0)


def _mesh(surface: _Surface) -> Plane:
    """Spacer mesh of sports masks: rows of dark holes 2.4 mm apart, every second row shifted."""
    holes = (surface.wave(0.24, 0.42) + surface.wave(0.24, -0.42)) / 2
    return 0.02 * surface.noise("yarn", 0.05, 0.08) - 0.22 * np.maximum(holes, 0) ** 1.5


WEAVES: dict[str, Callable[[_Surface], Plane]] = {
    "nonwoven": _nonwoven, "moulded": _moulded, "knit": _knit, "jersey": _jersey, "cotton": _cotton, "denim": _denim,
    "sponge": _sponge, "mesh": _mesh,
}  # fmt: skip


def weave(kind: str, pixels_per_cm: float, seed: int) -> Plane:
    """A seamless (`TILE_SIDE`, `TILE_SIDE`) tile of relative lightness around 0, read-only.

    A pixel of a cloth of lightness 1 becomes 1 + the tile's. Structure finer than about two pixels is left out:
    the tile of a small face is nearly flat.

    Raises:
        UsageError: There is no such weave.
    """
    if kind not in WEAVES:
        raise UsageError(f"weave must be one of {', '.join(WEAVES)}; got {kind!r}")
    return _weave_tile(kind, round(_STEPS * log2(max(pixels_per_cm, 0.5))), draw_bits(seed, "weave") % _TILES)


@lru_cache(maxsize=64)
def _weave_tile(kind: str, step: int, number: int) -> Plane:
    (strength,) = draw_units(1, number, "strength", kind)
    tile = WEAVES[kind](_Surface(2 ** (step / _STEPS), number))
    tile = ((tile - tile.mean()) * np.float32(0.8 + 0.4 * strength)).astype(np.float32)
    tile.setflags(write=False)
    return tile
