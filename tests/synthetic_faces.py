"""Face meshes without a model: the mean face, turned and placed at will."""

from dataclasses import replace

import cv2
import numpy as np

from maskgen.face_mesh import ANCHORS, Landmarks, canonical_face, canonical_template_points
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.fits import FIT_FUNCTIONS
from maskgen.masking.templates.library import load_template
from maskgen.records import Hang, MaskTemplate, Plan

# From above and somewhat from the left, half of it without direction.
LIGHT = LightDirection(np.array([-0.3, -0.5, -0.81]), 0.5)

# Kind -> a template of that kind, of one colour and without a print.
PLAIN = {
    "surgical": "surgical_blue",
    "sponge": "sponge_grey",
    "cloth": "cloth_red",
    "kn95": "kn95_white",
    "n95": "n95_white",
    "ffp2": "ffp2_white",
    "sports": "sports_grey",
    "gaiter": "gaiter_black",
}


def mean_face(
    *, size=(400, 400), eye_distance=100.0, yaw=0.0, pitch=0.0, roll=0.0, center=(200.0, 160.0), widen=1.0
):
    """Landmarks of the mean face; angles in degrees, signs as in `maskgen.records`."""
    points = canonical_face() * (widen, 1.0, 1.0) - (0.0, 0.3, 0.1)
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    turned = points @ (tilt @ nod @ turn).T
    return Landmarks((turned * eye_distance + (*center, 0.0)).astype(np.float32), size)


def canonical_anchors():
    points = canonical_template_points()
    return {name: tuple(points[list(indices)].mean(axis=0)) for name, indices in ANCHORS.items()}


def plain_template(bgr=(200, 160, 90), *, alpha=None, name="plain", recolourable=True):
    """A soft-edged ellipse of one colour over the lower face, in template space (1024 x 896)."""
    bgra = np.zeros((896, 1024, 4), np.uint8)
    bgra[:, :, :3] = bgr
    if alpha is None:
        outline = np.zeros((896, 1024), np.uint8)
        cv2.ellipse(outline, (512, 490), (430, 350), 0, 0, 360, 255, -1)
        bgra[:, :, 3] = cv2.GaussianBlur(outline, (0, 0), 5)
    else:
        bgra[:, :, 3] = alpha
    return MaskTemplate(
        *(name, "surgical", "light", None, bgra, canonical_anchors(), recolourable, "MIT", "0" * 64)
    )


def laid(fit, template, face, wear="correct", light=LIGHT, **chosen):
    """The layer of a template or of one named so on a face; ``chosen``: other fields of the plan."""
    if isinstance(template, str):
        template = load_template(template)
    return FIT_FUNCTIONS[fit](template, replace(worn(wear), **chosen), face, light)


def in_image(layer, face):
    """The alpha of a layer in an array of the image's size."""
    width, height = face.image_size
    alpha = np.zeros((height, width), np.uint8)
    alpha[layer.window] = layer.alpha
    return alpha


def worn(wear="correct", **hang):
    """A plan of that wear, hung as it fits unless told otherwise."""
    return Plan("", wear, None, None, 12345, Hang(**hang))
