"""Parts that several shapes share: folds, seams, ear loops, valves."""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.garment.draws import Draws, spline_weights
from maskgen.masking.garment.garment import Color, Loop, Patch
from maskgen.masking.garment.relief import COLUMNS, DARKEST, Relief

Array = NDArray[np.float64]
Rows = Sequence[tuple[float, ...]]  # of a `Relief`
Floats = NDArray[np.float32]

# How far the course of a pleat wanders, in eye distances, and its depth, as a share; knots of both; how far
# from the midline the middle of a pleat may lie.
_WANDER, _UNEVEN, _KNOTS, _APEX = 0.025, 3.2, 7, 0.14
# The shade under a pleat by its depth over its softness and this.
_OCCLUDED, _LEAST = 0.6, 0.008
VALVE_DESIGNS = (0, 1, 2)  # slits across, spokes, a closed cap
# Half the side of a valve's image, in its radii, and how dark its shadow is.
_VALVE, _VALVE_SHADOW = 1.35, 0.45
# Where the ear's root begins and ends, in u and v of the head.
EAR_TOP, EAR_BOTTOM = (1.37, 0.02), (1.34, 0.44)
_ENDLESS = 9.0  # end of a ridge that runs down the whole garment


class Accents(NamedTuple):
    """What a mask has beside its cloth.

    Attributes:
        binding: Colour of bindings and hems.
        loop: Colour of loops and straps.
        valve: Colour of an exhalation valve; None for none.
        marks: What is printed or sewn on it.
    """

    binding: Color
    loop: Color
    valve: Color | None = None
    marks: tuple[Patch, ...] = ()


def corner_folds(
    draws: Draws, corner: tuple[float, float], angles: tuple[float, float], most: int, height: float
) -> list[tuple[float, ...]]:
    """Folds that cloth pulled at a corner throws into it: rows of `Relief.folds`, different on each side.

    angles: least and greatest direction on the right side, in degrees down from straight towards the middle.
    """
    rows: list[tuple[float, ...]] = []
    for side in (-1, 1):
        for _ in range(int(draws.between(1, most + 1))):
            angle = math.radians(draws.between(*angles))
            rows.append(
                (
                    side * corner[0] * draws.between(0.88, 1.0),
                    corner[1] + draws.between(-0.05, 0.05),
                    math.pi - angle if side > 0 else angle,
                    draws.between(0.04, 0.11),
                    draws.between(0.4, 1.3),
                    draws.between(-1, 1) * height,
                )
            )
    return rows


def relief(
    draws: Draws,
    pleats: Rows,
    folds: Rows,
    half_width: float,
    crumple: float,
    ridge: tuple[float, float, float] = (0.0, 1.0, 0.0),
    uneven: float = 1.0,
    ridge_end: float = _ENDLESS,
) -> Relief:
    """A relief with crumples that lie differently on each garment.

    Args:
        draws: The garment's.
        pleats: Of each: height at the midline and at the side, depth at the midline and at the side,
            softness, length of the recovery below, and slope down to the right.
        folds: As in `Relief`.
        half_width: Distance from the midline at which pleats have their values at the side.
        crumple: Height of the crumples.
        ridge: Its height, its reach and the darkness of its seam.
        uneven: How much the course and the depth of pleats vary, from 0 for straight ones to 1.
        ridge_end: Height in the garment at which the ridge has run out.
    """
    rows = np.array(pleats, dtype=np.float64).reshape(-1, 7)
    shade = 1 - 0.45 * uneven * (1 + draws.spread(len(rows)))
    curves = _curves(draws, rows, half_width, uneven)
    # An edge is darkest where it is deepest; the shade of a soft one is weak.
    deepest = np.abs(curves[:, 1]).max(axis=1, initial=1e-3)
    shade *= np.minimum(_OCCLUDED / (_LEAST + rows[:, 4]), DARKEST / deepest) / deepest
    return Relief(
        np.column_stack([rows[:, 4:6], shade]),
        curves,
        np.array(folds, dtype=np.float64).reshape(-1, 6),
        (*ridge, ridge_end),
        crumple,
        (
            draws.unit(),
            draws.unit(),
            # Wrinkles are wider than high, and run more or less across the mask.
            draws.near(0, 1.1),
            draws.between(0.45, 0.95),
            draws.between(0.9, 2.1),
        ),
    )


@cache
def _knot_weights() -> Array:
    return np.asarray(spline_weights(_KNOTS, len(COLUMNS))[:, None])


def _curves(draws: Draws, rows: Array, half_width: float, uneven: float) -> Floats:
    """`Relief.curves`: no pleat is straight, equally deep all along, or ends where another one does."""
    count = len(rows)
    middle, side, deep, deep_side, _, _, slope = rows.T[:, :, None]
    # Where it is nearest to the midline's values, and how soon it takes the side's.
    apex, power, course, depth = np.split(draws.spread(count, 2 + 2 * _KNOTS), (1, 2, 2 + _KNOTS), axis=1)
    share = np.minimum(np.abs(COLUMNS - uneven * _APEX * apex) / half_width, 1) ** (1.3 + 0.3 * power)
    # Summed along the first axis: in the same order on every processor.
    course, depth = ((knots.T[:, :, None] * _knot_weights()).sum(axis=0) for knots in (course, depth))
    heights = middle + share * (side - middle) + slope * COLUMNS + uneven * _WANDER * course
    depths = (deep + share * (deep_side - deep)) * np.clip(1 + uneven * _UNEVEN * depth, 0, 2)
    # Rounded: the last bits of numpy's powers differ between processors.
    return np.stack([heights, depths], axis=1).round(5).astype(np.float32)


def darker(color: Color, share: float) -> Color:
    """The colour with this share of its lightness."""
    blue, green, red = color
    return blue * share, green * share, red * share


def thread(draws: Draws, cloth: Color) -> Color:
    """The colour of stitches and of the shade in their holes: somewhat darker or lighter than the cloth."""
    share = draws.pick((0.55, 0.7, 0.85, 1.25))
    blue, green, red = (min(value * share + (12 if share > 1 else 0), 255.0) for value in cloth)
    return blue, green, red


def ear_loops(
    draws: Draws,
    upper: tuple[float, float],
    lower: tuple[float, float],
    color: Color,
    width: tuple[float, float],
) -> tuple[Loop, ...]:
    """Two cords from the garment's corners to the root of each ear."""
    wide = draws.between(*width)
    top = (EAR_TOP[0], EAR_TOP[1] + draws.near(0, 0.05))
    bottom = (EAR_BOTTOM[0], EAR_BOTTOM[1] + draws.near(0, 0.05))
    return (
        Loop((upper[0] - 0.02, upper[1] + 0.03), top, wide, color, draws.between(-0.02, 0.04)),
        Loop((lower[0] - 0.02, lower[1] - 0.03), bottom, wide, color, draws.between(-0.02, 0.07)),
    )


def centre_seam(top: float, bottom: float, height: float, width: float) -> list[tuple[float, ...]]:
    """A ridge down the midline with a narrow groove in it: rows of `Relief.folds`."""
    down, length = math.pi / 2, (bottom - top) * 1.4
    start = top - 0.2 * (bottom - top)
    return [(0.0, start, down, width, length, height), (0.0, start, down, 0.012, length, -0.25 * height)]


@cache
def _valve_grid() -> Floats:
    """(2, 96, 96) y and x in radii of a valve, with room for its shadow."""
    return np.mgrid[-_VALVE:_VALVE:96j, -_VALVE:_VALVE:96j].astype(np.float32)


@cache
def _valve_image(design: int) -> tuple[Floats, Floats]:
    """(96, 96) lightness around 1 and (96, 96) height from 0 to 1 of a round valve with a radius of 0.95.

    design: One of `VALVE_DESIGNS`.
    """
    y, x = _valve_grid()
    radius = np.hypot(x, y)
    rim = np.exp(-(((radius - 0.8) / 0.1) ** 2))
    cap = np.clip((0.62 - radius) / 0.05, 0, 1)
    waves = (y * 22, 8 * np.arctan2(y, x), np.full_like(x, np.pi))[design]
    slits = np.clip(np.cos(waves) * 2, 0, 1) * np.clip((0.5 - radius) / 0.05, 0, 1)
    height = np.clip((0.95 - radius) / 0.1, 0, 1) * 0.6 + 0.2 * rim + 0.25 * cap - 0.2 * slits
    lightness = 1 - 0.5 * slits - 0.2 * np.exp(-(((radius - 0.66) / 0.03) ** 2))
    return lightness.astype(np.float32), height.astype(np.float32)


def valve(place: tuple[float, float], radius: float, color: Color, design: int) -> Patch:
    """A round exhalation valve of one of `VALVE_DESIGNS`."""
    lightness, height = _valve_image(design)
    y, x = _valve_grid()
    solid = np.clip((0.96 - np.hypot(x, y)) / 0.04, 0, 1)
    # It stands out and keeps light from the cloth under it.
    shadow = _VALVE_SHADOW * np.clip((1.22 - np.hypot(x, y - 0.1)) / 0.3, 0, 1)
    alpha = solid + (1 - solid) * shadow
    shown = lightness * solid / np.maximum(alpha, 1e-6)
    bgr = np.clip(shown[:, :, None] * np.array(color, np.float32), 0, 255)
    bgra = np.dstack([bgr, 255 * alpha]).astype(np.uint8)
    side = 2 * _VALVE * radius
    return Patch(bgra, height * np.float32(0.3 * radius), place, (side, side))


def nose_clip(draws: Draws, top: float, color: Color) -> Patch:
    """A metal strip on the nose."""
    bgra = np.zeros((24, 96, 4), np.uint8)
    cv2.rectangle(bgra, (2, 4), (93, 19), (*color, 255), -1, cv2.LINE_AA)
    heights = bgra[:, :, 3].astype(np.float32) * np.float32(0.006 / 255)
    return Patch(bgra, heights, (0.0, top + draws.between(0.08, 0.11)), (draws.between(0.24, 0.34), 0.035))


def tent(x: Array, y: Array, centre: tuple[float, float], reach: tuple[float, float], height: float) -> Array:
    """A smooth bump of this height over an ellipse, 0 at its border."""
    squared = ((x - centre[0]) / reach[0]) ** 2 + ((y - centre[1]) / reach[1]) ** 2
    return np.asarray(height * np.maximum(1 - squared, 0) ** 1.5)
