"""Polar unwrapping of the surroundings of both eyes: a row per distance from the eye, a column per angle.

The angles run from just above the outer eye corner, downwards, to just above the inner one. Distances are
stretched sideways, as lenses are, and normalised to an eye of usual width. The left eye comes first; the
right eye is mirrored beside it, so both outer corners lie in the same column.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.downscaled import downscale
from maskgen.records import Image, Layer

Floats = NDArray[np.float32]
Frame = tuple[tuple[float, float, float], tuple[float, float, float]]

ROWS, COLUMNS = 34, 48
_ANGLES = np.linspace(-0.15, np.pi + 0.15, COLUMNS, dtype=np.float32)
# In eye distances: the first row, the step to the next, and a usual eye's width; and the stretch sideways.
_NEAR, _STEP, _EYE_WIDTH, _WIDER = 0.145, 0.01, 0.31, 1.25
_FAR = _NEAR + _STEP * ROWS
# (ROWS, 1, COLUMNS) each: the unwrapped places, beside and below the eye.
_AWAY = _NEAR + _STEP * np.arange(ROWS)[:, None, None]
_SIDEWAYS, _DOWN = (
    (offsets * _AWAY).astype(np.float32) for offsets in (_WIDER * np.cos(_ANGLES), np.sin(_ANGLES))
)
# 90 levels per natural logarithm of the light: a relative shade counts the same on all skins.
_LOGARITHM = np.clip(np.round(90 * np.log(np.arange(256) / 16 + 1)), 0, 255).astype(np.uint8)

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
        """(ROWS, 2 * COLUMNS) uint8: the unwrapped logarithm of the light; ``eye`` is the eye distance."""
        (left, top, right, bottom), (a, b, c, d) = (_box(frame) for frame in self.frames)
        box = min(left, a), min(top, b), max(right, c), max(bottom, d)
        part = downscale(image, box, min(_LEAST_PIXELS / eye, 1.0))
        # Green is sharper than the other colours of most cameras.
        light = cv2.LUT(cv2.extractChannel(part.bgr, 1), _LOGARITHM)
        frames = np.array(self.frames)
        frames[:, :, 2] -= np.array(part.corner) + (part.step - 1) / 2
        # (x and y, ROWS, eye, COLUMNS)
        sideways, down, middle = (
            (frames / part.step).astype(np.float32).transpose(2, 1, 0)[:, :, None, :, None]
        )
        x, y = (sideways * _SIDEWAYS + down * _DOWN + middle).reshape(2, ROWS, 2 * COLUMNS)
        shown = cv2.remap(light, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(shown, np.uint8)

    def roll_back(self, mattes: tuple[Image, ...], layer: Layer, *, filled: bool) -> Image:
        """(height, width) uint8 of the layer's size: each eye's (ROWS, COLUMNS) matte mapped back around it.

        If ``filled``, the row nearest to the eye is repeated up to the eye.
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
            sideways = (across * np.float32(d) - along * np.float32(b)) / np.float32(whole * _WIDER)
            down = (along * np.float32(a) - across * np.float32(c)) / np.float32(whole)
            distance, angle = cv2.cartToPolar(sideways, down)
            angle = np.where(angle > 1.5 * np.pi, angle - np.float32(2 * np.pi), angle)
            row = (distance - _NEAR) / _STEP
            column = (angle - _ANGLES[0]) / (_ANGLES[1] - _ANGLES[0])
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
        more = abs(sideways) * _WIDER * _FAR - abs(down) * _FAR * float(_ANGLES[0]) + 1
        spans.append((middle + min(down * _FAR, 0) - more, middle + max(down * _FAR, 0) + more))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom
