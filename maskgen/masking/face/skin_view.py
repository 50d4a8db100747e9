"""How unlike a face's own bare skin each pixel of the lower face is, in light and in colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.downscaled import DownscaledRoi, reduce
from maskgen.masking.face.skin_reference import compare_to_reference
from maskgen.masking.kernels.polygons import fill_hull
from maskgen.masking.kernels.quickselect import select
from maskgen.records import Image

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Least pixels between the outer eye corners at which a face is looked at; a smaller face is taken as it is.
_EYE_PIXELS = 40.0
# What is looked at: all that a mask may cover, and as far around it, in eye distances.
_LOWER_FACE = [6, 127, 356, 234, 454, 93, 323, 132, 361, 58, 288, 172, 397, 136, 365, 150, 379, 176, 400, 152]
_MARGIN = 0.3


@dataclass(frozen=True, eq=False)
class SkinView:
    """A face at the size it is looked at, measured against its own bare skin.

    Light is the logarithm of the brightness, 0 that of the bare skin. Colour is two logarithms of ratios
    between channels, in which grey is the origin. Shadow, beard and reflections move a skin's colour along
    the line towards grey, so a colour is told by where it lies on that line and how far off it.

    Attributes:
        points: (468, 2) float32 in pixels of the view.
        eye: Distance of the outer eye corners in pixels of the view.
        chroma: How far the skin's colour is from grey.
        light: (height, width) float32.
        beyond: (height, width) float32: along the line from the skin's colour to grey; positive beyond grey.
        across: (height, width) float32: distance from that line.
        unclear: (height, width) bool: too dark or too bright for the colour to be told.
        face: (height, width) bool: the hull of the mesh.
        part: The part of the image that is looked at.
    """

    points: Floats
    eye: float
    chroma: float
    light: Floats
    beyond: Floats
    across: Floats
    unclear: Flags
    face: Flags
    part: DownscaledRoi

    @cached_property
    def depth(self) -> Floats:
        """(height, width) float32: distance to the face's outline, 0 outside; the view's border is none."""
        padded = cv2.copyMakeBorder(self.face.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3), np.float32)[1:-1, 1:-1]

    def from_image(self, plane: Image, origin: tuple[int, int]) -> Image:
        """A plane that lies at ``origin`` in the image, as the view shows it; 0 where it is not."""
        (rows, columns), step = self.light.shape, self.part.step
        x, y = (a - b for a, b in zip(origin, self.part.corner, strict=True))
        shown = np.zeros((rows * step, columns * step), np.uint8)
        inside = plane[max(0, -y) : max(0, rows * step - y), max(0, -x) : max(0, columns * step - x)]
        top, left = max(0, y), max(0, x)
        shown[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
        # The view's pixels are few enough of the image's for the middle one to stand for all.
        return np.ascontiguousarray(shown[step // 2 :: step, step // 2 :: step])

    def shade(self, outline: tuple[int, ...]) -> float:
        """The median light inside the hull of those mesh points; very dark if they are out of view."""
        light = self.light[self.inside(outline)]
        return select(light, light.size, light.size // 2) if light.size else -9.0

    def inside(self, outline: tuple[int, ...]) -> Flags:
        """(height, width) bool: the hull of those mesh points."""
        plane = np.zeros(self.light.shape, np.uint8)
        fill_hull(plane, np.round(self.points[list(outline)]).astype(np.int32), 1)
        return plane > 0


def view_face(image: Image, landmarks: Landmarks) -> SkinView | None:
    """Look at the lower face with a margin, and measure light and colour against those of its bare skin.

    Args:
        image: (height, width, 3) uint8 BGR.
        landmarks: The face.

    Returns:
        The view, or None where no bare skin is in it.
    """
    (xs, ys), margin = landmarks.points[_LOWER_FACE, :2].T.tolist(), _MARGIN * landmarks.eye_distance
    left, top, right, bottom = min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin
    if right < 0 or bottom < 0 or left >= image.shape[1] or top >= image.shape[0]:
        return None
    part = reduce(image, (left, top, right, bottom), _EYE_PIXELS / max(landmarks.eye_distance, 1.0))
    planes, (unclear, face), chroma = compare_to_reference(
        np.ascontiguousarray(part.bgr), landmarks.points, part.corner, part.step
    )
    if chroma < 0:
        return None
    return SkinView(
        points=part.points(landmarks.points[:, :2]),
        eye=landmarks.eye_distance / part.step,
        chroma=chroma,
        light=planes[0],
        beyond=planes[1],
        across=planes[2],
        unclear=unclear,
        face=face,
        part=part,
    )
