"""Light on a garment: diffuse shading of its surface and relief, dark hollows, a weak sheen, and its edge."""

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled, inlined
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.garment.garment import Cloth, darkness
from maskgen.records import Image

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

# The colour is drawn darker by this factor: highlights are not clipped before the exposure is known.
EXPOSURE = 0.75
# Share of the light's change over the face that the shading of the surface does not show.
UNLIT = 0.28
# How much more ambient light comes from above than from the front.
_SKY = np.float32(0.25)
_DARKEST = np.float32(0.05)  # light that reaches every place
_OUTSIDE = -0.05  # distance outside of the outline at which a pixel shows nothing of the garment
_INSIDE = 0.08  # and inside, at which it shows nothing else
# Constants of the loops in single precision.
_ZERO, _HALF, _ONE, _TINY, _MOST = (np.float32(value) for value in (0, 0.5, 1, 1e-6, 255))
_EXPOSED, _BRIGHT = np.float32(EXPOSURE), np.float32(EXPOSURE * 255)
# Light that passes through thin cloth and comes from the cloth beside it: no flank is without any.
_THROUGH = np.float32(0.12)
# Slopes of the relief are limited to 1 over this: light that fills folds softens their contrast.
_SOFT = np.float32(0.7)
# What black cloth adds to the contrast: it mirrors more than it scatters, and tone curves are steep in
# shadows.
_DARK_CONTRAST = 1.9
# The share of what is brighter than the cloth's own colour that a camera's tone curve takes off.
_SHOULDER = np.float32(0.8)
# A hollow gets less light, by its depth below the cloth this far around it, in eye distances: the share for a
# depth of that length in white cloth, what black cloth adds, because it sends less light back, and the most.
# Where less than _SHALLOW is lost, a hollow hardly shows.
_AROUND, _IN_WHITE, _IN_BLACK, _DARKENED = 0.055, 0.28, 0.84, np.float32(0.5)
_SHALLOW, _QUARTER = np.float32(0.12), np.float32(0.25)


@inlined
def _received(cosine: np.float32) -> np.float32:
    """Share of a light that cloth shows whose normal has this cosine with it: above 0 also behind."""
    share: np.float32 = _HALF * (cosine + np.sqrt(cosine * cosine + _THROUGH))
    return share


@compiled
def usual_light(normals: Array, used: NDArray[np.bool_], direction: Array, strength: float) -> float:
    """Mean light on a surface where it faces the camera: that which shows the cloth's own colour.

    normals: (n, m, 3) unit normals; used: (n, m) where they count; direction, strength: of the light.
    """
    total, count = 0.0, 0
    for row in range(len(normals)):
        for column in range(normals.shape[1]):
            x, y, z = normals[row, column]
            if used[row, column] and z < 0:
                facing = _received(x * direction[0] + y * direction[1] + z * direction[2])
                total += (1 - strength) * (1 - _SKY * y) + strength * facing
                count += 1
    return max(total / count, 0.05) if count else 1.0


def shade(
    color: Floats,
    normals: Floats,
    heights: Floats,
    nearest: Floats,
    light: LightDirection,
    usual: float,
    cloth: Cloth,
    loops: tuple[Floats, Floats],
    unit: float,
) -> tuple[Image, Image]:
    """Light the garment's colour, cut it out and put it over its loops.

    Args:
        color: (height, width, 3) as seen in neutral light from the front.
        normals: (n, height, width) whose last three are unit normals of the smooth surface, z away from the
            camera.
        heights: (height, width) of the relief, in pixels.
        nearest: (height, width) distance from the outline, positive inside; -1 where nothing is in view.
        light: The light on the face.
        usual: Of `usual_light`.
        cloth: The garment's, for its sheen and its darkness.
        loops: Their (height, width, 3) colour and (height, width) alpha in [0, 1].
        unit: An eye distance in pixels.

    Returns:
        (height, width, 3) uint8 straight colour and (height, width) uint8 alpha.
    """
    towards = light.direction
    # Halfway between the light and the camera.
    half = towards - (0, 0, 1)
    half /= max(math.hypot(*half.tolist()), 1e-6)
    dark = darkness(cloth.color)
    lights = np.array(
        [*towards, *half, light.strength, 1 / usual, cloth.sheen, _DARK_CONTRAST * dark], np.float32
    )
    reach = max(round(_AROUND * unit), 1)
    hidden = np.float32((_IN_WHITE + _IN_BLACK * math.sqrt(dark)) / reach)
    return _shade(color, normals, heights, nearest, lights, (reach, hidden), *loops)


@compiled
def _shade(
    color: Floats,
    normals: Floats,
    heights: Floats,
    nearest: Floats,
    lights: Floats,
    hollows: tuple[int, np.float32],
    under: Floats,
    under_alpha: Floats,
) -> tuple[Image, Image]:
    height, width = heights.shape
    bgr, alpha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    gains, shines = np.zeros(width, np.float32), np.zeros(width, np.float32)
    slopes, last = np.zeros((2, width), np.float32), len(normals)
    for row in range(height):
        if 0 < row < height - 1 and width > 2:
            normal_x, normal_y, normal_z = (
                normals[last - 3, row],
                normals[last - 2, row],
                normals[last - 1, row],
            )
            _slope_row(heights[row, :-2], heights[row, 2:], normal_x[1:], normal_z[1:], slopes[0, 1:])
            _slope_row(heights[row - 1], heights[row + 1], normal_y, normal_z, slopes[1])
            _light_row(slopes[0], slopes[1], normal_z, lights, gains)
            _hollow_row(heights, row, *hollows, gains)
            if lights[8] > 0:
                _sheen_row(slopes[0], slopes[1], normal_z, lights, shines)
        for column in range(width):
            covered = _edge_share(nearest, row, column)
            behind = (1 - covered) * under_alpha[row, column]
            total = covered + behind
            if total < 1 / 512:
                continue
            alpha[row, column] = np.uint8(total * 255 + 0.5)
            gain, shine = gains[column], shines[column]
            if behind == 0:
                for channel in range(3):
                    value = min(gain * color[row, column, channel] + shine, _MOST)
                    bgr[row, column, channel] = np.uint8(value + _HALF)
                continue
            for channel in range(3):
                value = covered * min(gain * color[row, column, channel] + shine, _MOST)
                value = (value + behind * EXPOSURE * under[row, column, channel]) / total
                bgr[row, column, channel] = np.uint8(min(value, 255.0) + 0.5)
    return bgr, alpha


# The loops over a row are in single precision, without branches, and of few arrays each: they are vectorised.


@compiled
def _slope_row(before: Floats, behind: Floats, smooth: Floats, away: Floats, slopes: Floats) -> None:
    """Write one component of a row's normals with the relief, whose heights beside it are given."""
    for k in range(len(before)):
        slope = _HALF * (behind[k] - before[k])
        slopes[k] = smooth[k] + slope / (_ONE + abs(slope) * _SOFT) * away[k]


@compiled
def _light_row(xs: Floats, ys: Floats, zs: Floats, lights: Floats, gains: Floats) -> None:
    """Write the gains of a row's colour by its normals, whose length is not 1.

    lights: direction of the light, direction halfway to the camera, directional share, 1 over the usual
    light, sheen, and added contrast.
    """
    light_x, light_y, light_z = lights[0], lights[1], lights[2]
    directional, usual, contrast = lights[6], lights[7], lights[9]
    ambient = _ONE - directional
    for k in range(len(gains)):
        x, y, z = xs[k], ys[k], zs[k]
        length = _ONE / np.sqrt(x * x + y * y + z * z + _TINY)
        facing = _received((x * light_x + y * light_y + z * light_z) * length)
        lit = max(ambient * (_ONE - _SKY * y * length) + directional * facing, _DARKEST)
        # To the power 3/4: 1 / 2.2 of a file's encoding, and the contrast that cameras add; they keep
        # what is bright from clipping.
        root = np.sqrt(lit * usual)
        gain = root * np.sqrt(root)
        gain *= _ONE + contrast * (gain - _ONE)
        gains[k] = _EXPOSED * (gain - _SHOULDER * max(gain - _ONE, _ZERO))


@compiled
def _hollow_row(heights: Floats, row: int, reach: int, hidden: np.float32, gains: Floats) -> None:
    """Darken a row's gains in its hollows (ambient occlusion).

    reach: pixels to the places around that are compared; hidden: share of the light for a depth of a pixel.
    """
    here = heights[row]
    above, below = heights[max(row - reach, 0)], heights[min(row + reach, len(heights) - 1)]
    for k in range(reach, len(here) - reach):
        around = _QUARTER * (above[k] + below[k] + here[k - reach] + here[k + reach])
        lost = max(hidden * (around - here[k]), _ZERO)
        lost *= lost / (lost + _SHALLOW)
        gains[k] *= _ONE - lost / (_ONE + lost / _DARKENED)


@compiled
def _sheen_row(xs: Floats, ys: Floats, zs: Floats, lights: Floats, shines: Floats) -> None:
    """Write the sheen of a row: a wide lobe of white light, because cloth is rough."""
    half_x, half_y, half_z, sheen = lights[3], lights[4], lights[5], _BRIGHT * lights[8]
    for k in range(len(shines)):
        x, y, z = xs[k], ys[k], zs[k]
        facing = max(x * half_x + y * half_y + z * half_z, _ZERO)
        mirrored = facing * facing / (x * x + y * y + z * z + _TINY)
        mirrored *= mirrored
        shines[k] = sheen * mirrored * mirrored * mirrored


@inlined
def _edge_share(nearest: Floats, row: int, column: int) -> float:
    """How much of a pixel the garment covers, from its distance to the outline and that of its neighbours."""
    here, steepest, around = nearest[row, column], 1e-6, 0
    if here <= _OUTSIDE or row in (0, len(nearest) - 1) or column in (0, nearest.shape[1] - 1):
        return 0.0
    beside = min(nearest[row, column - 1], nearest[row, column + 1])
    least = min(nearest[row - 1, column], nearest[row + 1, column], beside)
    if least > _INSIDE:
        return 1.0
    for y in range(-1, 2):
        for x in range(-1, 2):
            if nearest[row + y, column + x] > -1:
                around += 1
                if (x == 0) != (y == 0):
                    steepest = max(steepest, abs(nearest[row + y, column + x] - here))
    share = min(max(here / steepest + 0.5, 0.0), 1.0)
    # Where the surface turns out of view, its border has whole pixels: they become half covered.
    return float(share * min(around / 6 - 0.25, 1.0) if around < 9 else share)
