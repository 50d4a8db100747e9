"""What masking wants to know of a face in its photograph, found when it is first asked for and then kept.

However many masks are made for a face, it is looked at once.
"""

from __future__ import annotations

from functools import cached_property

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.eyeglasses import Spectacles, find_spectacles
from maskgen.masking.face.light import Light, measure_light
from maskgen.masking.face.skin_view import SkinView, view_face
from maskgen.masking.face.texture import Texture, measure_texture
from maskgen.records import Image


class FaceContext:
    """One face in the photograph as it was before any mask.

    Args:
        image: (height, width, 3) uint8 BGR; neither copied nor changed.
        landmarks: The face.
    """

    def __init__(self, image: Image, landmarks: Landmarks) -> None:
        self.image = image
        self.landmarks = landmarks

    @cached_property
    def light(self) -> Light:
        """The light on the face."""
        return measure_light(self.image, self.landmarks)

    @cached_property
    def texture(self) -> Texture:
        """The photograph's sharpness and grain."""
        return measure_texture(self.image, self.landmarks)

    @cached_property
    def skin(self) -> SkinView | None:
        """The lower face measured against its own bare skin; None where no bare skin is in view."""
        return view_face(self.image, self.landmarks)

    @cached_property
    def spectacles(self) -> Spectacles | None:
        """What is seen of spectacles below the eyes; None where none are."""
        return find_spectacles(self.image, self.landmarks)
