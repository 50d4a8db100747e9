"""Harmonisation: match a layer, drawn in neutral light, to its photograph.

The layer gets the photograph's exposure and colour cast, the slow change of light over the face, its blur and
its noise, and a contact shadow on the skin beside its edge. Monochrome images get masks of their tone.
"""

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.downscaled import crop, cut_out
from maskgen.masking.face.light import Light
from maskgen.masking.face.texture import Texture
from maskgen.masking.kernels.planes import box_blur, box_side
from maskgen.masking.layer.relight import Appearance, relit
from maskgen.records import Image, Layer

# Blur of a template after a fit has sampled it, in pixels; share of the face's blur that a mask gets: with it
# masks drawn over 133 photographs of worn masks have the fine texture of the real ones under them.
_DRAWN_BLUR, _BLUR_SHARE = 0.55, 0.95
# Blur in pixels and noise in grey levels that are too small to show.
_LEAST_BLUR, _LEAST_GRAIN = 0.4, 0.4
# Widths of the contact shadow and of the layer's darker edge, in eye distances, and their strengths.
# In 50 profiles over upper edges of real white masks, the skin beside is darker by a sixteenth of the step
# from skin to mask, and the mask is white a fiftieth of an eye distance inside.
_SHADOW_REACH, _SHADOW_DROP, _SHADOW_DEPTH = 0.035, 0.018, 0.2
_EDGE_REACH, _EDGE_DEPTH = 0.014, 0.06
# Softness of the end of the shadow at the face's outline, in eye distances.
_FACE_REACH = 0.02
_EVEN = np.ones((1, 1), np.float32)


def harmonise(context: FaceContext, layer: Layer, seed: int, follow_light: bool) -> Layer:
    """Give a layer the photograph's light, blur and noise.

    Args:
        context: The face under the layer, unmasked.
        layer: From a fit.
        seed: Selects the noise.
        follow_light: Whether to apply the slow change of light over the face; False for a compositor that
            takes it from the image itself.

    Returns:
        A layer with a contact shadow, a few pixels larger than the given one.
    """
    texture, light, landmarks = context.texture, context.light, context.landmarks
    eye = landmarks.eye_distance
    blur = math.sqrt(max((_BLUR_SHARE * texture.blur) ** 2 - _DRAWN_BLUR**2, 0.0))
    room = math.ceil(max(2.5 * blur, (2.5 * _SHADOW_REACH + _SHADOW_DROP) * eye, 1.0)) + 1
    (x, y), (height, width) = layer.origin, layer.alpha.shape
    left, top = min(room, x), min(room, y)
    right = min(room, landmarks.image_size[0] - x - width)
    bottom = min(room, landmarks.image_size[1] - y - height)
    alpha = cut_out(layer.alpha, -left, -top, left + width + right, top + height + bottom)
    origin = x - left, y - top
    appearance = Appearance(
        light.gains / np.float32(layer.exposure),
        light_gain_map(alpha, origin, light, layer.unlit) if follow_light else _EVEN,
        _EDGE_DEPTH,
        blur if blur > _LEAST_BLUR else 0.0,
        *(grain_strengths(texture, light.tone is not None) if texture.grain > _LEAST_GRAIN else (0.0, 0.0)),
        seed,
    )
    softened = box_blur(alpha, _side(_EDGE_REACH * eye, 0.5))
    bgr = np.ascontiguousarray(layer.bgr)
    if light.tone is not None:
        bgr = np.asarray(cv2.cvtColor(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    color, soft = relit(bgr, alpha, (left, top), softened, *grain_tiles(), appearance)
    if light.tone is not None:
        color = np.asarray(cv2.LUT(color, light.tone), np.uint8)
    shadow = contact_shadow(soft, landmarks, origin)
    return Layer(color, soft, origin, shadow, unlit=layer.unlit)


def _side(sigma: float, least: float) -> int:
    """Side of the box filter for a Gaussian of standard deviation sigma, or of the least one that shows."""
    return max(3, box_side(max(least, sigma)))


def contact_shadow(alpha: Image, landmarks: Landmarks, origin: tuple[int, int]) -> Image:
    """(height, width) uint8: how much a layer at ``origin`` darkens the face under and beside it."""
    eye, (height, width) = landmarks.eye_distance, alpha.shape
    across, down = (round(way * _SHADOW_DROP * eye) for way in landmarks.axes[1][:2].tolist())
    moved = crop(alpha, -across, -down, width - across, height - down)
    soft = box_blur(moved, _side(_SHADOW_REACH * eye, 0.6))
    face = np.zeros_like(alpha)
    outline = np.rint(landmarks.oval - np.array(origin, np.float32)).astype(np.int32)
    cv2.fillPoly(face, [outline], [255])
    face = box_blur(face, _side(_FACE_REACH * eye, 0.6))
    return np.asarray(cv2.multiply(soft, face, scale=_SHADOW_DEPTH / 255), np.uint8)


def light_gain_map(alpha: Image, origin: tuple[int, int], light: Light, share: float) -> NDArray[np.float32]:
    """(height, width) float32 gains, or (1, 1): the light over a layer at ``origin`` relative to its mean."""
    part, (height, width) = light.part, alpha.shape
    # The mean is that of the part's pixels whose middle the layer covers.
    (left, first_x), (top, first_y) = (
        divmod(start - corner + (part.step - 1) // 2, part.step)
        for start, corner in zip(origin, part.corner, strict=True)
    )
    covered = alpha[part.step - 1 - first_y :: part.step, part.step - 1 - first_x :: part.step]
    if not covered.any():  # too small for the light to vary over it
        return _EVEN
    beneath = crop(light.level, left, top, left + covered.shape[1], top + covered.shape[0])
    mean = cv2.mean(beneath, np.ascontiguousarray(covered))[0]
    gains = np.exp(share * (light.level.astype(np.float64) - mean)).astype(np.float32)
    # Contiguous as `_EVEN`, so that `relit` is compiled once.
    return np.ascontiguousarray(part.upsample(gains, (*origin, width, height)))


@cache
def grain_tiles() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Standard normal noise: (512, 512, 3) float32 per channel, and (512, 512) that the channels share."""
    normal = np.random.Generator(np.random.PCG64(20)).standard_normal((512, 512, 4)).astype(np.float32)
    return np.ascontiguousarray(normal[:, :, :3]), np.ascontiguousarray(normal[:, :, 3])


def grain_strengths(texture: Texture, grey: bool) -> tuple[float, float]:
    """Standard deviations of each channel's own and of the shared noise that give the measured noise."""
    # Two channels that differ by noise of strength c each carry c / sqrt(2) of their own.
    own = texture.color_grain / math.sqrt(2)
    shared = math.sqrt(max(texture.grain**2 - own**2 * 0.45, 0.0))
    # The mean of the channels' own noises has a third of their variance.
    return (0.0, math.hypot(shared, own / math.sqrt(3))) if grey else (own, shared)
