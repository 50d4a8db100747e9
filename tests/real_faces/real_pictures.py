"""Real photographs with their landmarks, masked in this process, and what the bars measure on them."""

import functools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.landmarks.landmark_file import LandmarkFile
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions

TEMPLATES = Path(__file__).parents[2] / "mask_templates"
LUMINANCE = np.array([0.114, 0.587, 0.299])


@dataclass(frozen=True, eq=False)
class Face:
    """A photograph, read as it is, and the landmarks of its largest face."""

    id: str
    image: np.ndarray
    landmarks: Landmarks


@dataclass(frozen=True, eq=False)
class Masked:
    """A masked photograph, the alpha of its mask, both of the photograph's size, and its manifest record."""

    image: np.ndarray
    alpha: np.ndarray
    record: object


def read_faces(root, landmark_file, count):
    """``count`` photographs that show a face, spread evenly over the dataset."""
    found = LandmarkFile(landmark_file)
    faces = []
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".jpg", ".png")):
        image = cv2.imread(str(path))
        name = path.relative_to(root).as_posix()
        largest = found.find(image, sample_id=name)[:1]
        faces += [Face(name, image, landmarks) for landmarks in largest]
    found.close()
    chosen = np.unique(np.linspace(0, len(faces) - 1, count).round().astype(int))
    return [faces[index] for index in chosen]


@functools.cache
def template_named(name):
    return load_template(TEMPLATES / f"{name}.json")


def masked(image, landmarks, *, template="surgical_blue", name="a", **options):
    """``image`` with that face masked as `maskgen synth` would, before encoding."""
    chosen = SynthOptions("folder", **options, templates=((template, 1.0),))
    outcome = mask_image(
        image, [landmarks], [plan(chosen, name, 0)], {template: template_named(template)}, chosen
    )
    assert outcome, f"{name}: {outcome.reason}"
    return Masked(outcome.image, outcome.alpha, outcome.faces[0])


@functools.cache
def masked_as_it_is(face, **options):
    """A `Face` masked, made once however many tests compare something with it."""
    return masked(face.image, face.landmarks, name=face.id, **options)


def inside(alpha, landmarks, depth=0.06):
    """Where the mask is opaque, and as far from its edge as that share of the eye distance."""
    reach = 2 * max(1, round(depth * landmarks.eye_distance)) + 1
    return cv2.erode(alpha, np.ones((reach, reach), np.uint8)) == 255


def log_means(image, where):
    """(3,) natural logarithms of the mean BGR there."""
    return np.log(image[where].astype(np.float64).mean(axis=0) + 1.0)
