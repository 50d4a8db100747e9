"""Polar unwrapping of the surroundings of both eyes: a row per distance from the eye, a column per angle.

The angles run from just above the outer eye corner, downwards, to just above the inner one. Distances are
stretched sideways, as lenses are, and normalised to an eye of usual width. The left eye comes first; the
right eye is mirrored beside it, so both outer corners lie in the same column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.downscaled import clip_box, downscale
from maskgen.masking.face.rim_path import ANGLES, NEAR, OVER, ROWS, STEP, WIDER, unroll
from maskgen.records import Image, Layer

Floats = NDArray[np.float32]
Frame = tuple[tuple[float, float, float], tuple[float, float, float]]

# In eye distances.
_FAR = NEAR + STEP * ROWS
_EYE_WIDTH = 0.31

_CORNERS = ((33, 133), (263, 362))  # outer and inner
_LEAST_PIXELS = 72.0  # least eye distance after downscaling


@dataclass(frozen=True, eq=False)
class EyeUnwrap:
    """The coordinate frames of a face's eyes in its image.

    Attributes:
        frames: For each eye the (2, 3) matrix from (sideways, down, 1) to x and y in the image.
    """

    frames: tuple[Frame, ...]

    def unroll(self, image: Image, eye: float) -> Image:
        """(ROWS, 2 * COLUMNS) uint8: the unwrapped logarithm of the light.

        Args:
            image: (height, width, 3) uint8 BGR.
            eye: Distance of the outer eye corners in pixels.
        """
        (left, top, right, bottom), (a, b, c, d) = (_box(frame) for frame in self.frames)
        box = min(left, a), min(top, b), max(right, c), max(bottom, d)
        if eye < 2 * _LEAST_PIXELS:
            return unroll(image, np.array(self.frames), clip_box(box, image))
        part = downscale(image, box, _LEAST_PIXELS / eye)
        frames = np.array(self.frames)
        frames[:, :, 2] -= np.array(part.corner) + (part.step - 1) / 2
        height, width = part.bgr.shape[:2]
        return unroll(part.bgr, frames / part.step, (0, 0, width, height))

    def roll_back(self, mattes: tuple[Image, ...], layer: Layer, *, filled: bool) -> Image:
        """(height, width) uint8 of the layer's size: each eye's matte mapped back around it.

        Args:
            mattes: (ROWS, COLUMNS) uint8 for each eye.
            layer: The layer whose window of the image is filled.
            filled: Whether the row nearest to the eye is repeated up to the eye.
        """
        matte = np.zeros_like(layer.alpha)
        for frame, unrolled in zip(self.frames, mattes, strict=True):
            left, top, right, bottom = (
                max(0, int(edge) - start) for edge, start in zip(_box(frame), layer.origin * 2, strict=True)
            )
            part = matte[top:bottom, left:right]
            if part.size == 0:
                continue
            (a, b, x), (c, d, y) = frame
            # The mattes are small, so a large window is computed at reduced size and resized.
            step = max(1, int(math.hypot(b, d) / _LEAST_PIXELS))
            height, width = (-(-size // step) for size in part.shape)
            across = np.arange(width, dtype=np.float32) * step
            across += np.float32((step - 1) / 2 + layer.origin[0] + left - x)
            along = np.arange(height, dtype=np.float32)[:, None] * step
            along += np.float32((step - 1) / 2 + layer.origin[1] + top - y)
            whole = a * d - b * c
            sideways = (across * np.float32(d) - along * np.float32(b)) / np.float32(whole * WIDER)
            down = (along * np.float32(a) - across * np.float32(c)) / np.float32(whole)
            distance, angle = cv2.cartToPolar(sideways, down)
            angle = np.where(angle > 1.5 * np.pi, angle - np.float32(2 * np.pi), angle)
            row = (distance - NEAR) / STEP
            column = (angle + OVER) / (ANGLES[1] - ANGLES[0])
            shown = cv2.remap(unrolled, column, np.maximum(row, 0) if filled else row, cv2.INTER_LINEAR)
            shown = cv2.resize(shown, (width * step, height * step), interpolation=cv2.INTER_LINEAR)
            np.maximum(part, np.asarray(shown, np.uint8)[: part.shape[0], : part.shape[1]], out=part)
        return matte


def around_eyes(landmarks: Landmarks) -> EyeUnwrap:
    """Compute the coordinate frames of a face's eyes."""
    eye = landmarks.eye_distance
    corners = [landmarks.points[list(two), :2].tolist() for two in _CORNERS]
    start, end = corners[0][0], corners[1][0]
    length = max(math.dist(start, end), 1e-3)
    x, y = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    frames = []
    for side, (outer, inner) in zip((-1, 1), corners, strict=True):
        width = side * min(max(math.dist(outer, inner) / _EYE_WIDTH, 0.6 * eye), 1.15 * eye)
        middle = (outer[0] + inner[0]) / 2, (outer[1] + inner[1]) / 2
        frames.append(((x * width, -y * eye, middle[0]), (y * width, x * eye, middle[1])))
    return EyeUnwrap(tuple(frames))


def _box(frame: Frame) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the unwrapped area of an eye, with a small margin."""
    spans = []
    for sideways, down, middle in frame:
        more = abs(sideways) * WIDER * _FAR + abs(down) * _FAR * OVER + 1
        spans.append((middle + min(down * _FAR, 0) - more, middle + max(down * _FAR, 0) + more))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom
