"""The surroundings of both eyes, unrolled: a row for each distance from an eye, a column for each angle.

The angles run from just over the outer eye corner, down, to over the inner one. The distances are stretched
sideways as lenses are, and are those of an eye of usual width. The left eye comes first, the right one beside
it mirrored, so that their outer corners are at the same column of each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.downscaled import inside, reduce
from maskgen.masking.face.rim_path import ANGLES, NEAR, OVER, ROWS, STEP, WIDER, unroll
from maskgen.records import Image, Layer

Floats = NDArray[np.float32]
Frame = tuple[tuple[float, float, float], tuple[float, float, float]]

# In eye distances.
_FAR = NEAR + STEP * ROWS
_EYE_WIDTH = 0.31

_CORNERS = ((33, 133), (263, 362))  # outer and inner
_LEAST_PIXELS = 72.0  # between the outer eye corners, at which the image is looked at


@dataclass(frozen=True, eq=False)
class EyeUnwrap:
    """Where the surroundings of a face's eyes lie in its image.

    Attributes:
        frames: For each eye what takes (sideways, down, 1) of its surroundings to the image.
    """

    frames: tuple[Frame, ...]

    def unroll(self, image: Image, eye: float) -> Image:
        """(ROWS, 2 * COLUMNS) uint8: the logarithm of the light.

        Args:
            image: (height, width, 3) uint8 BGR.
            eye: Distance of the outer eye corners in pixels.
        """
        (left, top, right, bottom), (a, b, c, d) = (_box(frame) for frame in self.frames)
        box = min(left, a), min(top, b), max(right, c), max(bottom, d)
        if eye < 2 * _LEAST_PIXELS:
            return unroll(image, np.array(self.frames), inside(box, image))
        part = reduce(image, box, _LEAST_PIXELS / eye)
        frames = np.array(self.frames)
        frames[:, :, 2] -= np.array(part.corner) + (part.step - 1) / 2
        height, width = part.bgr.shape[:2]
        return unroll(part.bgr, frames / part.step, (0, 0, width, height))

    def roll_back(self, mattes: tuple[Image, ...], layer: Layer, *, filled: bool) -> Image:
        """(height, width) uint8 of the layer's size: each eye's matte around it.

        Args:
            mattes: (ROWS, COLUMNS) uint8 for each eye.
            layer: Anything that lies in the image.
            filled: Whether the nearest row goes on to the eye.
        """
        found = np.zeros_like(layer.alpha)
        for frame, matte in zip(self.frames, mattes, strict=True):
            left, top, right, bottom = (
                max(0, int(edge) - start) for edge, start in zip(_box(frame), layer.origin * 2, strict=True)
            )
            part = found[top:bottom, left:right]
            if part.size == 0:
                continue
            (a, b, x), (c, d, y) = frame
            # The mattes hold no more than a small image shows, so a large one is made from that.
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
            shown = cv2.remap(matte, column, np.maximum(row, 0) if filled else row, cv2.INTER_LINEAR)
            shown = cv2.resize(shown, (width * step, height * step), interpolation=cv2.INTER_LINEAR)
            np.maximum(part, np.asarray(shown, np.uint8)[: part.shape[0], : part.shape[1]], out=part)
        return found


def around_eyes(landmarks: Landmarks) -> EyeUnwrap:
    """Lay the frames around a face's eyes."""
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
    """(left, top, right, bottom) of what is unrolled around an eye, and a little more."""
    spans = []
    for sideways, down, middle in frame:
        more = abs(sideways) * WIDER * _FAR + abs(down) * _FAR * OVER + 1
        spans.append((middle + min(down * _FAR, 0) - more, middle + max(down * _FAR, 0) + more))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom
