"""Light on a garment: diffuse shading of its surface and relief, a weak sheen, and its anti-aliased edge."""

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.masking.face.light_direction import LightDirection

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

# How much more ambient light comes from above than from the front.
_SKY = 0.25
# Grey levels as a power of light: 1 / 2.2 of a file's encoding, and the contrast that cameras add.
_CONTRAST = 0.64
_DARKEST = 0.05  # light that reaches every place
_SHINE = 24  # exponent of the sheen: how narrow its reflection is


def usual_light(normals: Array, light: LightDirection) -> float:
    """Median light on (n, 3) unit normals that face the camera; the garment's colour is seen as it is there."""
    visible = normals[normals[:, 2] < 0]
    if not len(visible):
        return 1.0
    facing = np.maximum(visible @ light.direction, 0)
    lit = (1 - light.strength) * (1 - _SKY * visible[:, 1]) + light.strength * facing
    return max(float(np.median(lit)), _DARKEST)


def shade(
    color: Floats,
    normals: Floats,
    heights: Floats,
    nearest: Floats,
    light: LightDirection,
    usual: float,
    sheen: float,
) -> Floats:
    """Light the garment's colour and cut it out.

    Args:
        color: (height, width, 3) as seen in neutral light from the front, changed in place.
        normals: (height, width, 3) unit normals of the smooth surface, z away from the camera.
        heights: (height, width) of the relief, in pixels.
        nearest: (height, width) distance from the outline, positive inside; -1 where nothing is in view.
        light: The light on the face.
        usual: Of `usual_light`.
        sheen: Strength of the reflection.

    Returns:
        (height, width) float32 alpha in [0, 1].
    """
    towards = light.direction.astype(np.float64)
    # Halfway between the light and the camera.
    half = towards - (0, 0, 1)
    half /= max(float(np.linalg.norm(half)), 1e-6)
    return _shade(color, normals, heights, nearest, towards, half, light.strength, usual, sheen)


@compiled
def _shade(
    color: Floats,
    normals: Floats,
    heights: Floats,
    nearest: Floats,
    towards: Array,
    half: Array,
    directional: float,
    usual: float,
    sheen: float,
) -> Floats:
    height, width = heights.shape
    alpha = np.zeros((height, width), np.float32)
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            if nearest[row, column] <= -0.05:
                continue
            covered = _edge_share(nearest, row, column)
            if covered <= 0:
                continue
            alpha[row, column] = covered
            x, y, z = normals[row, column]
            x += (heights[row, column + 1] - heights[row, column - 1]) / 2 * z
            y += (heights[row + 1, column] - heights[row - 1, column]) / 2 * z
            length = 1 / np.sqrt(x * x + y * y + z * z + 1e-6)
            facing = max((x * towards[0] + y * towards[1] + z * towards[2]) * length, 0.0)
            ambient = 1 - _SKY * y * length
            lit = max((1 - directional) * ambient + directional * facing, _DARKEST)
            gain = (lit / usual) ** _CONTRAST
            if sheen > 0:
                gain += sheen * max((x * half[0] + y * half[1] + z * half[2]) * length, 0.0) ** _SHINE
            for channel in range(3):
                color[row, column, channel] *= gain
    return alpha


@compiled
def _edge_share(nearest: Floats, row: int, column: int) -> float:
    """How much of a pixel the garment covers, from its distance to the outline and that of its neighbours."""
    here, steepest, around = nearest[row, column], 1e-6, 0
    for y in range(-1, 2):
        for x in range(-1, 2):
            if nearest[row + y, column + x] > -1:
                around += 1
                if (x == 0) != (y == 0):
                    steepest = max(steepest, abs(nearest[row + y, column + x] - here))
    share = min(max(here / steepest + 0.5, 0.0), 1.0)
    # Where the surface turns out of view, its border has whole pixels: they become half covered.
    return float(share * min(around / 6 - 0.25, 1.0) if around < 9 else share)
