"""Per-pixel deviation of the lower face from its own bare skin, in light and in colour."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.downscaled import DownscaledRoi, cut_out, downscale
from maskgen.masking.face.skin_reference import compare_to_reference
from maskgen.masking.kernels.planes import fill_hull
from maskgen.masking.kernels.quickselect import select
from maskgen.records import Image

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Least eye distance in pixels after downscaling; a smaller face is not downscaled.
_EYE_PIXELS = 40.0
# Mesh points around everything that a mask may cover, and the margin around them in eye distances.
_LOWER_FACE = [6, 127, 356, 234, 454, 93, 323, 132, 361, 58, 288, 172, 397, 136, 365, 150, 379, 176, 400, 152]
_MARGIN = 0.3


@dataclass(frozen=True, eq=False)
class SkinView:
    """A downscaled face, compared to its own bare skin.

    Light is the logarithm of the brightness; the bare skin's is 0. Colour is two logarithms of ratios
    between channels; grey is the origin. Shadow, beard and reflections move a skin's colour along the line
    towards grey. A colour is therefore described by its position on that line and its distance from it.

    Attributes:
        points: (468, 2) float32 in pixels of the view.
        eye: Distance of the outer eye corners in pixels of the view.
        chroma: Distance of the skin's colour from grey.
        light: (height, width) float32.
        strangeness: (height, width) float32: distance of each colour from the line, or how far it lies beyond
            grey if that is more; 0 if a pixel is too dark or too bright for a reliable colour.
        greyness: (height, width) float32: position of each colour on the line: 0 is the skin's, 1 is grey.
        face: (height, width) bool: the hull of the mesh.
        part: The downscaled part of the image.
    """

    points: Floats
    eye: float
    chroma: float
    light: Floats
    strangeness: Floats
    greyness: Floats
    face: Flags
    part: DownscaledRoi

    @cached_property
    def depth(self) -> Floats:
        """(height, width) float32: distance to the face's outline (not to the view's border), 0 outside."""
        padded = cv2.copyMakeBorder(self.face.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3), np.float32)[1:-1, 1:-1]

    def from_image(self, plane: Image, origin: tuple[int, int]) -> Image:
        """A plane at ``origin`` in the image, resampled to the view; 0 outside the plane."""
        (rows, columns), step, (x, y) = self.light.shape, self.part.step, self.part.corner
        shown = cut_out(plane, x - origin[0], y - origin[1], columns * step, rows * step)
        # One image pixel per view pixel, the middle one, is accurate enough.
        return np.ascontiguousarray(shown[step // 2 :: step, step // 2 :: step])

    def shade(self, outline: tuple[int, ...]) -> float:
        """The median light inside the hull of some mesh points; very dark if they are out of view."""
        light = self.light[self.inside(outline)]
        return select(light, light.size, light.size // 2) if light.size else -9.0

    def inside(self, outline: tuple[int, ...]) -> Flags:
        """(height, width) bool: the hull of some mesh points."""
        plane = np.zeros(self.light.shape, np.uint8)
        fill_hull(plane, np.round(self.points[list(outline)]).astype(np.int32), 1)
        return plane.view(np.bool_)


def measure_skin(image: Image, landmarks: Landmarks) -> SkinView | None:
    """Compare the lower face, with a margin, to its bare skin; None if no bare skin is in view."""
    (xs, ys), margin = landmarks.points[_LOWER_FACE, :2].T.tolist(), _MARGIN * landmarks.eye_distance
    left, top, right, bottom = min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin
    if right < 0 or bottom < 0 or left >= image.shape[1] or top >= image.shape[0]:
        return None
    part = downscale(image, (left, top, right, bottom), _EYE_PIXELS / max(landmarks.eye_distance, 1.0))
    bgr = np.ascontiguousarray(part.bgr)
    compared = compare_to_reference(bgr, landmarks.points, part.corner, part.step)
    if compared is None:
        return None
    light, strangeness, greyness, face, chroma = compared
    points, eye = part.points(landmarks.points[:, :2]), landmarks.eye_distance / part.step
    return SkinView(points, eye, chroma, light, strangeness, greyness, face.view(np.bool_), part)
