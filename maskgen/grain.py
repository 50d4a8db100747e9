"""Noise like a camera's, the same on every machine."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from maskgen.texture import Texture

TILE = 512


@cache
def grain_tiles() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Standard normal noise: (512, 512, 3) float32 for each channel, (512, 512) for all three together."""
    normal = np.random.Generator(np.random.PCG64(20)).standard_normal((TILE, TILE, 4)).astype(np.float32)
    return np.ascontiguousarray(normal[:, :, :3]), np.ascontiguousarray(normal[:, :, 3])


def grain_strengths(texture: Texture) -> tuple[float, float]:
    """How much of each channel's noise, and of the noise they share, makes grain like the measured."""
    # Two channels that differ by noise of strength c each carry c / sqrt(2) of their own.
    own = texture.color_grain / math.sqrt(2)
    return own, math.sqrt(max(texture.grain**2 - own**2 * 0.45, 0.0))
