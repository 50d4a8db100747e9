"""Harmonising: a layer drawn in neutral light becomes one that this photograph could have shown.

Measured around the mask and given to it: exposure and colour cast, the light's slow change over the face,
sharpness, grain, and the contact shadow on the skin beside the edge. Grey pictures get grey masks.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.light import photograph_light, skin_light
from maskgen.records import Image, Landmarks, Layer
from maskgen.texture import grain_field, measure_texture

# Sharpness of a template sampled by a fit, in pixels.
_DRAWN_BLUR = 0.55
# How far the contact shadow and the darker rim reach, in eye distances, and how strong they are.
_SHADOW_REACH, _SHADOW_DROP, _SHADOW_DEPTH = 0.035, 0.018, 0.42
_RIM_REACH, _RIM_DEPTH = 0.014, 0.16


def harmonise(image: Image, layer: Layer, landmarks: Landmarks, seed: int, follow_light: bool) -> Layer:
    """Give ``layer`` the photograph's light, sharpness and grain.

    Args:
        image: (height, width, 3) uint8 BGR, unmasked.
        layer: As a fit made it.
        landmarks: The face under it.
        seed: Where the grain starts.
        follow_light: Whether the light's slow change over the face is put into the layer; not for a
            compositor that takes it from the image itself.

    Returns:
        A layer with a contact shadow, a few pixels larger than the given one.
    """
    texture = measure_texture(image, landmarks)
    blur = np.sqrt(max(texture.blur**2 - _DRAWN_BLUR**2, 0.0))
    reach = _SHADOW_REACH * landmarks.eye_distance
    room = int(np.ceil(max(2.5 * blur, 2.5 * reach + _SHADOW_DROP * landmarks.eye_distance, 1.0))) + 1
    layer = _widened(layer, room, landmarks.image_size)
    color, alpha = layer.bgr.astype(np.float32), layer.alpha.astype(np.float32)
    gains, grey = photograph_light(image, landmarks)
    if grey:
        color = np.repeat((color @ np.array([0.114, 0.587, 0.299], np.float32))[:, :, None], 3, axis=2)
    color *= gains
    if follow_light:
        color *= _light_over(image, layer, landmarks)
    color *= _rim(alpha, landmarks.eye_distance)[:, :, None]
    if blur > 0.25:
        # Premultiplied, so that the nothing outside the mask does not blur into its colour.
        weight = np.asarray(cv2.GaussianBlur(alpha, (0, 0), blur), np.float32)
        sums = cv2.GaussianBlur(color * alpha[:, :, None], (0, 0), blur)
        color, alpha = np.asarray(sums / np.maximum(weight, 0.5)[:, :, None], np.float32), weight
    if texture.grain > 0.4:
        noise = grain_field(alpha.shape[0], alpha.shape[1], texture, seed)
        color += noise.mean(axis=2, keepdims=True) if grey else noise
    bgr = np.clip(color + 0.5, 0, 255).astype(np.uint8)
    opacity = np.clip(alpha + 0.5, 0, 255).astype(np.uint8)
    return Layer(bgr, opacity, layer.origin, _contact_shadow(opacity, layer, landmarks))


def _widened(layer: Layer, room: int, image_size: tuple[int, int]) -> Layer:
    """The layer with ``room`` empty pixels on every side, as far as the image goes."""
    (x, y), (height, width) = layer.origin, layer.alpha.shape
    left, top = min(room, x), min(room, y)
    right, bottom = min(room, image_size[0] - x - width), min(room, image_size[1] - y - height)
    sides = ((top, bottom), (left, right))
    # The colour goes on outwards, so that a half-transparent pixel that blurring makes has the mask's colour.
    bgr = np.pad(layer.bgr, (*sides, (0, 0)), mode="edge")
    return Layer(bgr, np.pad(layer.alpha, sides), (x - left, y - top))


def _light_over(image: Image, layer: Layer, landmarks: Landmarks) -> NDArray[np.float32]:
    """(height, width, 1) float32 gains: the light over the layer against its mean there."""
    height, width = layer.alpha.shape
    light = skin_light(image, landmarks, (*layer.origin, width, height)).log_bgr.mean(axis=2)
    small = cv2.resize(layer.alpha, light.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    mean = float((light * small).sum() / max(float(small.sum()), 1e-6))
    full = cv2.resize(light - mean, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.exp(full)[:, :, None], np.float32)


def _rim(alpha: NDArray[np.float32], eye_distance: float) -> NDArray[np.float32]:
    """(height, width) float32 gains: the cloth turns away from the light at its edge."""
    inner = cv2.GaussianBlur(alpha, (0, 0), max(0.5, _RIM_REACH * eye_distance)) / 255.0
    return np.asarray(1 - _RIM_DEPTH * np.clip(2 * (1 - inner), 0, 1), np.float32)


def _contact_shadow(alpha: Image, layer: Layer, landmarks: Landmarks) -> Image:
    """(height, width) uint8: the soft shadow on the face beside and a little below the edge."""
    unit = landmarks.eye_distance
    down = landmarks.axes[1][:2] * _SHADOW_DROP * unit
    height, width = alpha.shape
    moved = cv2.warpAffine(
        alpha, np.array([[1, 0, down[0]], [0, 1, down[1]]], np.float64), (width, height), borderValue=[0]
    )
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.6, _SHADOW_REACH * unit)).astype(np.float32)
    face = np.zeros((height, width), np.uint8)
    outline = landmarks.oval - np.array(layer.origin, np.float32)
    cv2.fillPoly(face, [np.round(outline * 16).astype(np.int32)], [255], cv2.LINE_AA, 4)
    on_face = cv2.GaussianBlur(face, (0, 0), max(0.6, 0.02 * unit)).astype(np.float32) / 255.0
    shadow = _SHADOW_DEPTH * soft * on_face
    return np.asarray(np.where(alpha == 255, 0, shadow), np.uint8)
