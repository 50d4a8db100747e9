"""Light on a garment: diffuse shading of its surface and relief, a weak sheen, and its anti-aliased edge."""

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.masking.face.light_direction import LightDirection

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

# Share of the ambient light that comes from above rather than from everywhere.
_SKY = 0.25
_SHINE = 24  # exponent of the sheen: how narrow its reflection is


def shade(
    color: Floats, normals: Floats, heights: Floats, nearest: Floats, light: LightDirection, sheen: float
) -> Floats:
    """Light the garment's colour and cut it out.

    Args:
        color: (height, width, 3) as seen in neutral light from the front, changed in place.
        normals: (height, width, 3) unit normals of the smooth surface, z away from the camera.
        heights: (height, width) of the relief, in pixels.
        nearest: (height, width) distance from the outline, positive inside; -1 where nothing is in view.
        light: The light on the face.
        sheen: Strength of the reflection.

    Returns:
        (height, width) float32 alpha in [0, 1].
    """
    towards = light.direction.astype(np.float64)
    # Halfway between the light and the camera.
    half = towards - (0, 0, 1)
    half /= max(float(np.linalg.norm(half)), 1e-6)
    return _shade(color, normals, heights, nearest, towards, half, light.strength, sheen)


@compiled
def _shade(
    color: Floats,
    normals: Floats,
    heights: Floats,
    nearest: Floats,
    towards: Array,
    half: Array,
    directional: float,
    sheen: float,
) -> Floats:
    height, width = heights.shape
    alpha = np.zeros((height, width), np.float32)
    usual = max(-towards[2], 0.2)
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
            ambient = 1 - _SKY - _SKY * y * length
            # Grey levels are about the square root of light.
            gain = np.sqrt(max((1 - directional) * ambient + directional * facing / usual, 0.02))
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
