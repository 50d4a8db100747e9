"""Harmonising: a layer drawn in neutral light becomes one that this photograph could have shown.

Measured around the mask and given to it: exposure and colour cast, the light's slow change over the face,
sharpness, grain, and the contact shadow on the skin beside the edge. Grey images get grey masks.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.light import Light
from maskgen.masking.face.texture import Texture
from maskgen.masking.kernels.box_blur import box_side
from maskgen.masking.kernels.quickselect import box_blur
from maskgen.masking.layer.contact_shadow import contact_shadow
from maskgen.masking.layer.relight import Appearance, relit
from maskgen.records import Image, Layer

# Sharpness of a template sampled by a fit, in pixels.
_DRAWN_BLUR = 0.55
# Blur below this does not show, nor does grain, in grey levels.
_LEAST_BLUR, _LEAST_GRAIN = 0.4, 0.4
# How far the contact shadow and the darker rim reach, in eye distances, and how strong they are.
_SHADOW_REACH, _SHADOW_DROP, _SHADOW_DEPTH = 0.035, 0.018, 0.42
_RIM_REACH, _RIM_DEPTH = 0.014, 0.16
# How softly the shadow ends where the face does.
_FACE_REACH = 0.02
_EVEN = np.ones((1, 1), np.float32)


def harmonise(look: FaceContext, layer: Layer, seed: int, follow_light: bool) -> Layer:
    """Give ``layer`` the photograph's light, sharpness and grain.

    Args:
        look: The face under it, unmasked.
        layer: As a fit made it.
        seed: Where the grain starts.
        follow_light: Whether the light's slow change over the face is put into the layer; not for a
            compositor that takes it from the image itself.

    Returns:
        A layer with a contact shadow, a few pixels larger than the given one.
    """
    texture, light, landmarks = look.texture, look.light, look.landmarks
    eye = landmarks.eye_distance
    blur = math.sqrt(max(texture.blur**2 - _DRAWN_BLUR**2, 0.0))
    room = math.ceil(max(2.5 * blur, (2.5 * _SHADOW_REACH + _SHADOW_DROP) * eye, 1.0)) + 1
    (x, y), (height, width) = layer.origin, layer.alpha.shape
    left, top = min(room, x), min(room, y)
    right = min(room, landmarks.image_size[0] - x - width)
    bottom = min(room, landmarks.image_size[1] - y - height)
    alpha = np.zeros((top + height + bottom, left + width + right), np.uint8)
    alpha[top : top + height, left : left + width] = layer.alpha
    origin = x - left, y - top
    appearance = Appearance(
        light.gains,
        light.grey,
        light_gain_map(alpha, origin, light) if follow_light else _EVEN,
        _RIM_DEPTH,
        blur if blur > _LEAST_BLUR else 0.0,
        *(grain_strengths(texture) if texture.grain > _LEAST_GRAIN else (0.0, 0.0)),
        seed,
    )
    inner = box_blur(alpha, _side(_RIM_REACH * eye, 0.5))
    color, soft = relit(
        np.ascontiguousarray(layer.bgr), alpha, (left, top), inner, *grain_tiles(), appearance
    )
    across, down = (round(way * _SHADOW_DROP * eye) for way in landmarks.axes[1][:2].tolist())
    outline = landmarks.oval - np.array(origin, np.float32)
    sides = _side(_SHADOW_REACH * eye, 0.6), _side(_FACE_REACH * eye, 0.6)
    shadow = contact_shadow(soft, outline, (across, down), *sides, _SHADOW_DEPTH)
    return Layer(color, soft, origin, shadow)


def _side(sigma: float, least: float) -> int:
    """Side of the box that blurs about as a Gaussian of that deviation, or of the least one that shows."""
    return max(3, box_side(max(least, sigma)))


def light_gain_map(alpha: Image, origin: tuple[int, int], light: Light) -> NDArray[np.float32]:
    """(height, width) float32 gains: the light over a layer against its mean there.

    Args:
        alpha: (height, width) uint8 of the layer.
        origin: (x, y) of the layer in the image.
        light: The light on the face.
    """
    part, (height, width) = light.part, alpha.shape
    rows = np.clip((np.arange(height) + origin[1] - part.corner[1]) // part.step, 0, light.level.shape[0] - 1)
    columns = np.clip(
        (np.arange(width) + origin[0] - part.corner[0]) // part.step, 0, light.level.shape[1] - 1
    )
    covered = light.level[rows[:, None], columns][alpha > 0]
    mean = covered.mean(dtype=np.float64) if covered.size else 0.0
    gains = np.exp(light.level.astype(np.float64) - mean).astype(np.float32)
    return part.back(gains, (*origin, width, height))


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
