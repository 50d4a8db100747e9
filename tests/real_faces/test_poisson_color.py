"""Poisson blending keeps the mask's own colour, which plain seamless cloning turns into the skin's."""

import cv2
import numpy as np
import pytest
from real_pictures import LUMINANCE, inside, masked, template_named
from synthetic_faces import laid, mean_face


@pytest.fixture(scope="module")
def hundred_faces(faces_of):
    return faces_of("lfw", 100)


def off(image, drawn, where):
    """(3,) grey levels between two images' mean colours there, the exposure divided out."""
    got, wanted = image[where].mean(axis=0), drawn[where].mean(axis=0)
    return np.abs(got * (wanted @ LUMINANCE) / (got @ LUMINANCE) - wanted)


def test_the_mask_keeps_its_color(hundred_faces):
    differences, plainly_cloned = [], []
    for face in hundred_faces:
        plain = {"harmonise": False, "name": face.id}
        cloned = masked(face.image, face.landmarks, blend="poisson", **plain)
        drawn = masked(face.image, face.landmarks, blend="overlay", **plain)
        where = inside(drawn.alpha, face.landmarks)
        differences.append(off(cloned.image, drawn.image, where))
        plainly_cloned.append(off(seamless_clone(face.image, drawn), drawn.image, where))
    assert len(differences) >= 98
    assert np.mean(plainly_cloned, axis=0).max() > 40, "the comparison has lost its meaning"
    worst = np.max(differences, axis=1)
    assert worst.max() <= 15, f"{(worst > 15).sum()} of {len(worst)}, mean {np.mean(differences, axis=0)}"


def seamless_clone(image, drawn):
    """OpenCV's own, of the mask as it was drawn into the same place."""
    region = (drawn.alpha > 127).astype(np.uint8) * 255
    region[[0, -1]] = 0
    region[:, [0, -1]] = 0
    x, y, width, height = cv2.boundingRect(region)
    middle = (x + width // 2, y + height // 2)
    return cv2.seamlessClone(drawn.image, image, region.copy(), middle, cv2.NORMAL_CLONE)


def test_the_template_compared_with_is_blue():
    layer = laid("mesh", template_named("surgical_blue"), mean_face())
    blue, _, red = layer.bgr[layer.alpha == 255].mean(axis=0)
    assert blue > red + 25
