"""How sharp and how grainy an image is around a face, so that a layer can be given the same."""

from __future__ import annotations

from dataclasses import dataclass

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.blur_and_noise import SHARPEST, measure_blur_and_noise
from maskgen.records import Image

# What is looked at, beside, above and below the middle of the eyes in eye distances: the eyes, the brows and
# the nose tell a sharp face's blur, what is bare between them its grain. A softer face is asked as a whole.
_BETWEEN_EYES = 6
_NEAR, _FAR = (0.7, 0.4, 0.5), (0.85, 0.6, 1.3)
_SOFT = 1.6
# Such a face is asked with more patience: its edges are blurred once more by so many pixels.
_PATIENCE = 1.5
# A part of fewer pixels a side tells nothing.
_LEAST = 8
# Of a large face no more than this many pixels a side.
_LARGEST = 256


@dataclass(frozen=True)
class Texture:
    """What a camera and its encoder did to the image around a face.

    Attributes:
        blur: Standard deviation in pixels of the Gaussian that edges look blurred by.
        grain: Standard deviation in grey levels of the noise in brightness.
        color_grain: Likewise of the noise in the difference of two channels.
    """

    blur: float
    grain: float
    color_grain: float


def measure_texture(image: Image, landmarks: Landmarks) -> Texture:
    """Measure blur and grain on the face itself."""
    near, far = (_around_eyes(image, landmarks, reaches) for reaches in (_NEAR, _FAR))
    if min(near[2] - near[0], near[3] - near[1]) < _LEAST:
        return Texture(SHARPEST, 0.0, 0.0)
    return Texture(*measure_blur_and_noise(image, near, far, _SOFT, _PATIENCE))


def _around_eyes(
    image: Image, landmarks: Landmarks, reaches: tuple[float, float, float]
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) as far beside, above and below the middle of the eyes, in the image."""
    (x, y, _), (height, width) = landmarks.points[_BETWEEN_EYES].tolist(), image.shape[:2]
    beside, above, below = (min(reach * landmarks.eye_distance, _LARGEST / 2) for reach in reaches)
    left, top = max(0, int(x - beside)), max(0, int(y - above))
    return left, top, min(int(x + beside) + 1, width), min(int(y + below) + 1, height)
