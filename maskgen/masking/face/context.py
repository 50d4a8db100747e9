"""Measurements of a face that all its masks share, computed on first use and cached."""

from functools import cached_property

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.eyeglasses import Eyeglasses, find_eyeglasses
from maskgen.masking.face.light import Light, measure_light
from maskgen.masking.face.light_direction import LightDirection, measure_direction
from maskgen.masking.face.skin_view import SkinView, measure_skin
from maskgen.masking.face.texture import Texture, measure_texture
from maskgen.records import Image


class FaceContext:
    """One face in the photograph before any mask is drawn on it.

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
    def light_direction(self) -> LightDirection:
        """Where the light comes from, and its directional share."""
        return measure_direction(self.light, self.landmarks)

    @cached_property
    def texture(self) -> Texture:
        """The photograph's blur and noise."""
        return measure_texture(self.image, self.landmarks)

    @cached_property
    def skin(self) -> SkinView | None:
        """The lower face compared to its own bare skin; None where no bare skin is in view."""
        return measure_skin(self.image, self.landmarks)

    @cached_property
    def eyeglasses(self) -> Eyeglasses | None:
        """The lower rims of eyeglasses; None where the face wears none."""
        return find_eyeglasses(self.image, self.landmarks)
