"""Weaves: the fine light and dark of a material's surface, where pixels are small enough to show it."""

from collections.abc import Callable
from functools import lru_cache
from math import hypot, log2

import numpy as np

from maskgen.errors import UsageError
from maskgen.masking.hash_random import draw_bits, draw_units
from maskgen.masking.materials.noise import Plane, as_plane, fractal_noise, smooth_noise

# Side of a tile in pixels, whatever they are in centimetres; twice that above 60 pixels a centimetre.
TILE_SIDE = 128
# How many tiles a kind has at one resolution.
_TILES = 3
# Resolutions are rounded to this many steps an octave, so that a tile can be used again: by a fifth at most.
_STEPS = 2
# Knots of the noise of `wear_tile`, and its amounts: the finer ones are dimmed by the blur of a photograph.
_WORN_OCTAVES = ((12, 0.1), (24, 0.15), (48, 0.45), (64, 2.2))


class _Surface:
    """What the weaves are made of: waves and noise of lengths in centimetres, less the finer than a pixel."""

    def __init__(self, pixels_per_cm: float, seed: int) -> None:
        self.pixels_per_cm = pixels_per_cm
        self.seed = seed
        self.side = TILE_SIDE if pixels_per_cm <= 60 else 2 * TILE_SIDE
        self.turns = (np.arange(self.side, dtype=np.float32) + np.float32(0.5)) / np.float32(self.side)

    def _seen(self, length_cm: float) -> float:
        """The share of a structure's contrast that pixels keep: none below 1.8 pixels, nearly all from 4."""
        pixels = length_cm * self.pixels_per_cm
        return min(max((pixels - 1.8) / 1.7, 0.0), 1.0) * float(np.sinc(1 / max(pixels, 1.0)))

    def noise(self, amount: float, name: str, across_cm: float, down_cm: float, octaves: int = 1) -> Plane:
        """Noise with grains of the given width and height; grains below two pixels average out."""
        knots, kept = [], amount
        for length in (down_cm, across_cm):
            pixels = length * self.pixels_per_cm
            kept *= min(1.0, pixels / 2)
            knots.append(int(min(max(self.side / max(pixels, 1e-3), 2), self.side / 2)))
        shape = (self.side, self.side)
        return as_plane(fractal_noise(shape, (knots[0], knots[1]), octaves, self.seed, name) * kept)

    def wave(self, amount: float, across_cm: float, down_cm: float, bend: Plane | float = 0.0) -> Plane:
        """A sine wave that repeats every ``across_cm`` to the right and ``down_cm`` down (0: never)."""
        lengths = (across_cm, down_cm)
        across, down = (round(self.side / (n * self.pixels_per_cm)) if n else 0 for n in lengths)
        seen = self._seen(1 / hypot(*(1 / length for length in lengths if length)))
        phase = self.turns[None] * across + self.turns[:, None] * down
        return as_plane(np.sin(2 * np.pi * (phase + bend)) * amount * seen)

    def points(self, amount: float, across_cm: float, down_cm: float, power: float = 2.0) -> Plane:
        """Dark points of depth ``amount`` in rows, every second row shifted by half a step."""
        waves = self.wave(0.5, across_cm, down_cm) + self.wave(0.5, across_cm, -down_cm)
        return as_plane(-amount * np.maximum(waves, 0) ** power)


def _nonwoven(surface: _Surface) -> list[Plane]:
    """Melt-spun fabric: single fibres, and welded points in diamonds 1.6 mm apart."""
    return [
        surface.noise(0.004, "mottle", 0.12, 0.12, 2),
        surface.noise(0.008, "fibre", 0.14, 0.035),
        surface.noise(0.006, "fibre down", 0.035, 0.14),
        surface.points(0.05, 0.16, 0.16),
    ]


def _moulded(surface: _Surface) -> list[Plane]:
    """A stiff cup's felt: coarser clouds than nonwoven, and a faint net pressed into it."""
    return [
        surface.noise(0.012, "cloud", 0.35, 0.35, 3),
        surface.noise(0.014, "fibre", 0.06, 0.06),
        surface.wave(0.012, 0.22, 0.22),
        surface.wave(0.012, 0.22, -0.22),
    ]


def _knit(surface: _Surface) -> list[Plane]:
    """Ribs of 3 mm upright, with their stitches slanting into a V."""
    bend = surface.noise(0.05, "bend", 0.8, 1.5)
    ribs = surface.wave(1.0, 0.3, 0, bend)
    right, left = (surface.wave(0.04, way * 0.3, 0.2, bend) for way in (1, -1))
    stitches = right * np.maximum(ribs, 0) - left * np.minimum(ribs, 0)
    return [as_plane(0.06 * ribs), as_plane(stitches), surface.noise(0.015, "yarn", 0.08, 0.2)]


def _jersey(surface: _Surface) -> list[Plane]:
    """Smooth stretch cloth: fine upright wales of 1 mm, hardly any relief."""
    return [
        surface.wave(0.02, 0.1, 0, surface.noise(0.08, "bend", 0.5, 1.0)),
        surface.noise(0.007, "mottle", 0.1, 0.25, 2),
        surface.noise(0.006, "grain", 0.04, 0.04),
    ]


def _cotton(surface: _Surface) -> list[Plane]:
    """Plain woven cotton: yarns of 0.5 mm of uneven thickness, seen as faint streaks both ways."""
    return [
        surface.noise(0.013, "weft", 0.9, 0.05),
        surface.noise(0.013, "warp", 0.05, 0.9),
        as_plane(surface.wave(0.022, 0.055, 0) * surface.wave(1.0, 0, 0.055)),
    ]


def _denim(surface: _Surface) -> list[Plane]:
    """A twill: diagonal ridges 1.3 mm apart, and slubs down the warp."""
    return [
        surface.wave(0.05, 0.13, 0.13, surface.noise(0.1, "bend", 0.4, 0.4)),
        surface.noise(0.028, "slub", 0.07, 0.9),
        surface.noise(0.022, "fleck", 0.06, 0.06),
    ]


def _sponge(surface: _Surface) -> list[Plane]:
    """Polyurethane foam or neoprene: very fine dark pores, otherwise even."""
    pores = np.minimum(surface.noise(0.014, "pore", 0.045, 0.045) + 0.006, 0)
    return [as_plane(pores)]


def _mesh(surface: _Surface) -> list[Plane]:
    """Spacer mesh of sports masks: rows of dark holes 2.4 mm apart, every second row shifted."""
    return [surface.noise(0.02, "yarn", 0.05, 0.08), surface.points(0.22, 0.24, 0.42, 1.5)]


WEAVES: dict[str, Callable[[_Surface], list[Plane]]] = {
    "nonwoven": _nonwoven, "moulded": _moulded, "knit": _knit, "jersey": _jersey,
    "cotton": _cotton, "denim": _denim, "sponge": _sponge, "mesh": _mesh,
}  # fmt: skip


def weave(kind: str, pixels_per_cm: float, seed: int) -> Plane:
    """A seamless square tile of relative lightness around 0, read-only.

    Cloth is multiplied by 1 + the tile. Structure finer than about two pixels is left out: the tile of a
    small face is nearly flat.

    Raises:
        UsageError: There is no such weave.
    """
    if kind not in WEAVES:
        raise UsageError(f"weave must be one of {', '.join(WEAVES)}; got {kind!r}")
    return _weave_tile(kind, round(_STEPS * log2(max(pixels_per_cm, 0.5))), draw_bits(seed, "weave") % _TILES)


@lru_cache(maxsize=1)
def wear_tile() -> Plane:
    """A seamless square tile of unit deviation, read-only: what cloth shows at every scale that is seen.

    Lint, rubbed places, small creases and a camera's noise on them: the contrast of photographed masks is
    about the same in each octave, from two pixels on.
    """
    total = np.zeros((TILE_SIDE, TILE_SIDE), np.float32)
    for knots, amount in _WORN_OCTAVES:
        total += smooth_noise((TILE_SIDE, TILE_SIDE), (knots, knots), 0, "wear", knots) * np.float32(amount)
        streaks = smooth_noise((TILE_SIDE, TILE_SIDE), (knots, knots // 3), 0, "wear across", knots)
        total += streaks * np.float32(amount / 2)
    tile = as_plane(total / total.std())
    tile.setflags(write=False)
    return tile


@lru_cache(maxsize=256)
def _weave_tile(kind: str, step: int, number: int) -> Plane:
    (strength,) = draw_units(1, number, "strength", kind)
    relief = np.sum(WEAVES[kind](_Surface(2 ** (step / _STEPS), number)), axis=0)
    tile = as_plane((relief - relief.mean()) * (0.8 + 0.4 * strength))
    tile.setflags(write=False)
    return tile
