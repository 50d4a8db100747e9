"""Harmonising: a layer drawn in neutral light becomes one that this photograph could have shown.

Measured around the mask and given to it: exposure and colour cast, the light's slow change over the face,
sharpness, grain, and the contact shadow on the skin beside the edge. Grey pictures get grey masks.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.look import FaceLook
from maskgen.quick import box_side
from maskgen.records import Image, Landmarks, Layer
from maskgen.reduced import cut
from maskgen.texture import grain_field

# Sharpness of a template sampled by a fit, in pixels.
_DRAWN_BLUR = 0.55
# Blur below this does not show.
_LEAST_BLUR = 0.4
# How far the contact shadow and the darker rim reach, in eye distances, and how strong they are.
_SHADOW_REACH, _SHADOW_DROP, _SHADOW_DEPTH = 0.035, 0.018, 0.42
_RIM_REACH, _RIM_DEPTH = 0.014, 0.16
# Gain for each value of the blurred alpha: half-way out of the mask the rim is as dark as it gets.
_RIM_GAINS = (1 - _RIM_DEPTH * np.minimum(2 * (1 - np.arange(256) / 255.0), 1)).astype(np.float32)


def harmonise(look: FaceLook, layer: Layer, seed: int, follow_light: bool) -> Layer:
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
    blur = math.sqrt(max(texture.blur**2 - _DRAWN_BLUR**2, 0.0))
    reach = _SHADOW_REACH * landmarks.eye_distance
    room = math.ceil(max(2.5 * blur, 2.5 * reach + _SHADOW_DROP * landmarks.eye_distance, 1.0)) + 1
    layer = _widened(layer, room, landmarks.image_size)
    color, alpha = layer.bgr, layer.alpha
    if light.grey:
        color = np.asarray(cv2.cvtColor(cv2.cvtColor(color, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    gain = _rim(alpha, landmarks.eye_distance)
    if follow_light:
        gain = gain * _light_over(look, layer)
    color = np.asarray(cv2.multiply(color, cv2.merge([gain * g for g in light.gains]), dtype=cv2.CV_8U))
    if blur > _LEAST_BLUR:
        color, alpha = _blurred(color, alpha, blur)
    if texture.grain > 0.4:
        noise = grain_field(alpha.shape[0], alpha.shape[1], texture, seed)
        if light.grey:
            noise = np.repeat(noise.mean(axis=2, keepdims=True), 3, axis=2)
        color = np.asarray(cv2.add(color, noise, dtype=cv2.CV_8U), np.uint8)
    return Layer(color, alpha, layer.origin, _contact_shadow(alpha, layer, landmarks))


def _widened(layer: Layer, room: int, image_size: tuple[int, int]) -> Layer:
    """The layer with ``room`` empty pixels on every side, as far as the image goes."""
    (x, y), (height, width) = layer.origin, layer.alpha.shape
    left, top = min(room, x), min(room, y)
    right, bottom = min(room, image_size[0] - x - width), min(room, image_size[1] - y - height)
    bgr, alpha = (
        np.asarray(cv2.copyMakeBorder(plane, top, bottom, left, right, cv2.BORDER_CONSTANT), np.uint8)
        for plane in (layer.bgr, layer.alpha)
    )
    return Layer(bgr, alpha, (x - left, y - top))


def _light_over(look: FaceLook, layer: Layer) -> NDArray[np.float32]:
    """(height, width) float32 gains: the light over the layer against its mean there."""
    height, width = layer.alpha.shape
    over = look.light.part.back(look.light.level, (*layer.origin, width, height))
    return np.asarray(cv2.exp(over - np.float32(cv2.mean(over, layer.alpha)[0])), np.float32)


def _rim(alpha: Image, eye_distance: float) -> NDArray[np.float32]:
    """(height, width) float32 gains: the cloth turns away from the light at its edge."""
    inner = softened(alpha, max(0.5, _RIM_REACH * eye_distance))
    return np.asarray(cv2.LUT(inner, _RIM_GAINS), np.float32)


def _blurred(color: Image, alpha: Image, sigma: float) -> tuple[Image, Image]:
    """Colour and alpha as a lens or a smaller picture would blur them."""
    # Premultiplied, so that the nothing outside the mask does not blur into its colour.
    weighted = cv2.multiply(color, cv2.merge([alpha] * 3), scale=1 / 255)
    # A third of the time that `GaussianBlur` takes over bytes.
    kernel = cv2.getGaussianKernel(2 * math.ceil(2.5 * sigma) + 1, sigma, cv2.CV_32F)
    spread = cv2.sepFilter2D(cv2.merge([weighted, alpha]), -1, kernel, kernel)
    blue, green, red, soft = cv2.split(spread)
    straight = cv2.divide(cv2.merge([blue, green, red]), cv2.merge([soft] * 3), scale=255)
    return np.asarray(straight, np.uint8), np.asarray(soft, np.uint8)


def softened(plane: Image, sigma: float) -> Image:
    """A (height, width) uint8 plane blurred about as by a Gaussian, by two box filters; 0 around it."""
    side = max(3, box_side(sigma))
    once = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(once, (side, side), borderType=cv2.BORDER_REPLICATE), np.uint8)


def _contact_shadow(alpha: Image, layer: Layer, landmarks: Landmarks) -> Image:
    """(height, width) uint8: the soft shadow on the face beside and a little below the edge."""
    unit = landmarks.eye_distance
    across, down = (round(float(way)) for way in landmarks.axes[1][:2] * _SHADOW_DROP * unit)
    height, width = alpha.shape
    # Moved by whole pixels: what is blurred next by more than that shows no smaller step.
    moved = cut(alpha, -across, -down, width - across, height - down)
    soft = softened(moved, max(0.6, _SHADOW_REACH * unit))
    face = np.zeros((height, width), np.uint8)
    outline = landmarks.oval - np.array(layer.origin, np.float32)
    cv2.fillPoly(face, [np.round(outline * 16).astype(np.int32)], [255], cv2.LINE_AA, 4)
    on_face = softened(face, max(0.6, 0.02 * unit))
    return np.asarray(cv2.multiply(soft, on_face, scale=_SHADOW_DEPTH / 255), np.uint8)
