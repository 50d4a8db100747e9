"""Light on a garment: diffuse shading of its surface and relief, a weak sheen, and its anti-aliased edge."""

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.masking.face.light_direction import LightDirection
from maskgen.records import Image

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

# The colour is drawn darker by this factor: highlights are not clipped before the exposure is known.
EXPOSURE = 0.75
# Share of the light's change over the face that the shading of the surface does not show.
UNLIT = 0.2
# How much more ambient light comes from above than from the front.
_SKY = 0.25
_DARKEST = 0.05  # light that reaches every place
_OUTSIDE = -0.05  # distance outside of the outline at which a pixel shows nothing of the garment
_INSIDE = 0.08  # and inside, at which it shows nothing else
# Slopes of the relief are limited to 1 over this: light that fills folds softens their contrast.
_SOFT = 1.5


def usual_light(normals: Array, light: LightDirection) -> float:
    """Mean light on those of (n, 3) unit normals that face the camera: it shows the cloth's own colour."""
    visible = normals[normals[:, 2] < 0][::3]
    if not len(visible):
        return 1.0
    facing = np.maximum(visible @ light.direction, 0)
    lit = (1 - light.strength) * (1 - _SKY * visible[:, 1]) + light.strength * facing
    return max(float(lit.mean()), _DARKEST)


def shade(
    color: Floats,
    normals: Floats,
    heights: Floats,
    nearest: Floats,
    light: LightDirection,
    usual: float,
    sheen: float,
    loops: tuple[Floats, Floats],
) -> tuple[Image, Image]:
    """Light the garment's colour, cut it out and put it over its loops.

    Args:
        color: (height, width, 3) as seen in neutral light from the front.
        normals: (height, width, n) whose last three are unit normals of the smooth surface, z away from the
            camera.
        heights: (height, width) of the relief, in pixels.
        nearest: (height, width) distance from the outline, positive inside; -1 where nothing is in view.
        light: The light on the face.
        usual: Of `usual_light`.
        sheen: Strength of the reflection.
        loops: Their (height, width, 3) colour and (height, width) alpha in [0, 1].

    Returns:
        (height, width, 3) uint8 straight colour and (height, width) uint8 alpha.
    """
    towards = light.direction.astype(np.float64)
    # Halfway between the light and the camera.
    half = towards - (0, 0, 1)
    half /= max(float(np.linalg.norm(half)), 1e-6)
    lights = towards, half, light.strength, usual, sheen
    return _shade(color, normals, heights, nearest, lights, *loops)


@compiled
def _shade(
    color: Floats,
    normals: Floats,
    heights: Floats,
    nearest: Floats,
    lights: tuple[Array, Array, float, float, float],
    under: Floats,
    under_alpha: Floats,
) -> tuple[Image, Image]:
    towards, half, directional, usual, sheen = lights
    height, width = heights.shape
    bgr, alpha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            covered = _edge_share(nearest, row, column)
            behind = (1 - covered) * under_alpha[row, column]
            total = covered + behind
            if total < 1 / 512:
                continue
            alpha[row, column] = np.uint8(total * 255 + 0.5)
            gain, shine = EXPOSURE, 0.0
            if covered > 0:
                x, y, z = normals[row, column, -3:]
                across = (heights[row, column + 1] - heights[row, column - 1]) / 2
                down = (heights[row + 1, column] - heights[row - 1, column]) / 2
                x += across / (1 + abs(across) * _SOFT) * z
                y += down / (1 + abs(down) * _SOFT) * z
                length = 1 / np.sqrt(x * x + y * y + z * z + 1e-6)
                facing = max((x * towards[0] + y * towards[1] + z * towards[2]) * length, 0.0)
                ambient = 1 - _SKY * y * length
                lit = max((1 - directional) * ambient + directional * facing, _DARKEST)
                # To the power 5/8: 1 / 2.2 of a file's encoding, and the contrast that cameras add.
                root = np.sqrt(lit / usual)
                gain *= root * np.sqrt(np.sqrt(root))
                # A wide lobe of white light: cloth is rough.
                mirrored = max((x * half[0] + y * half[1] + z * half[2]) * length, 0.0) ** 2
                mirrored *= mirrored
                shine = EXPOSURE * 255 * sheen * mirrored * mirrored * mirrored
            for channel in range(3):
                value = covered * min(gain * color[row, column, channel] + shine, 255.0)
                value = (value + behind * EXPOSURE * under[row, column, channel]) / total
                bgr[row, column, channel] = np.uint8(min(value, 255.0) + 0.5)
    return bgr, alpha


@compiled
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
