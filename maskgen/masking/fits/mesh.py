"""The mesh fit: the mask lies on a surface over the face mesh, with its depth, folds and light."""

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.fits.image_cloth import lay_image
from maskgen.masking.garment.drape import drape
from maskgen.masking.garment.dress import dress
from maskgen.masking.templates.pyramid import planned_levels
from maskgen.records import Layer, MaskTemplate, Plan


def mesh(template: MaskTemplate, plan: Plan, landmarks: Landmarks, light: LightDirection) -> Layer | None:
    """Fit a template to a face by the surface over its mesh.

    Args:
        template: With a material it becomes a garment; with an image, that image is laid over the face.
        plan: The random choices.
        landmarks: The face.
        light: Lights the folds of a garment.

    Returns:
        The layer, or None if no part of it lies in the image.
    """
    if template.bgra is not None:
        return lay_image(template, planned_levels(template, plan), landmarks, plan)
    return drape(dress(template, plan, landmarks.eye_distance), landmarks, plan, light)
