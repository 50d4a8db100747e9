"""Blur and noise of the image around a face; `maskgen.masking.layer` gives a layer the same."""

from __future__ import annotations

from dataclasses import dataclass

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.blur_and_noise import SHARPEST, measure_blur_and_noise
from maskgen.records import Image

# The measured part: how far it reaches beside, above and below the middle of the eyes, in eye distances.
# Eyes, brows and nose have the edges that show blur, the bare skin between them shows noise. If the blur of
# the near part is above _SOFT pixels, it is measured again on the far part.
_BETWEEN_EYES = 6
_NEAR, _FAR = (0.7, 0.4, 0.5), (0.85, 0.6, 1.3)
_SOFT = 1.6
_FAR_REBLUR = 1.5  # pixels by which the far part is blurred again to measure its edges
_LEAST = 8  # pixels a side below which nothing is measured
_LARGEST = 256  # most pixels a side that are measured


@dataclass(frozen=True)
class Texture:
    """What a camera and its encoder did to the image around a face.

    Attributes:
        blur: Standard deviation, in pixels, of the Gaussian blur of edges.
        grain: Standard deviation, in grey levels, of the noise in brightness.
        color_grain: Standard deviation, in grey levels, of the noise in the difference of two channels.
    """

    blur: float
    grain: float
    color_grain: float


def measure_texture(image: Image, landmarks: Landmarks) -> Texture:
    """Measure blur and grain on the face itself."""
    near, far = (_around_eyes(image, landmarks, reaches) for reaches in (_NEAR, _FAR))
    if min(near[2] - near[0], near[3] - near[1]) < _LEAST:
        return Texture(SHARPEST, 0.0, 0.0)
    return Texture(*measure_blur_and_noise(image, near, far, _SOFT, _FAR_REBLUR))


def _around_eyes(
    image: Image, landmarks: Landmarks, reaches: tuple[float, float, float]
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) around the middle of the eyes; beside, above and below in eye distances."""
    (x, y, _), (height, width) = landmarks.points[_BETWEEN_EYES].tolist(), image.shape[:2]
    beside, above, below = (min(reach * landmarks.eye_distance, _LARGEST / 2) for reach in reaches)
    left, top = max(0, int(x - beside)), max(0, int(y - above))
    return left, top, min(int(x + beside) + 1, width), min(int(y + below) + 1, height)
