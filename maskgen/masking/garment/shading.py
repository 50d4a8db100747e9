"""Light on a garment: diffuse shading of its surface and relief, folds in their own shadow, and a weak sheen."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.face.light_direction import LightDirection

Floats = NDArray[np.float32]


def shade(normals: Floats, heights: Floats, light: LightDirection, sheen: float) -> Floats:
    """(height, width) float32 gains of grey levels, around 1 for a surface that faces the camera.

    Args:
        normals: (height, width, 3) unit normals of the smooth surface, z away from the camera.
        heights: (height, width) of the relief, in pixels.
        light: The light on the face.
        sheen: Strength of the reflection.
    """
    (right, down, away), directional = light.direction.tolist(), light.strength
    slope_x = cv2.Sobel(heights, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(heights, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    towards = -normals[:, :, 2]
    x, y, z = normals[:, :, 0] - slope_x * towards, normals[:, :, 1] - slope_y * towards, normals[:, :, 2]
    length = 1 / np.sqrt(x * x + y * y + z * z + np.float32(1e-6))
    facing = np.maximum((x * right + y * down + z * away) * length, 0)
    usual = max(-away, 0.2)
    lit = (1 - directional) * (0.75 + 0.25 * -(y * length)) + directional * facing / usual
    # Grey levels are about the square root of light.
    gain = np.sqrt(np.maximum(lit, 0.02))
    if sheen:
        # Halfway between the light and the camera.
        half = np.array([right, down, away - 1])
        half /= np.linalg.norm(half)
        glance = np.maximum((x * half[0] + y * half[1] + z * half[2]) * length, 0)
        gain += np.float32(sheen) * glance**24
    return np.asarray(gain, np.float32)
