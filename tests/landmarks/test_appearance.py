"""The look of a face under its mesh: whether it wears a mask already, and whether the mesh lies on it."""

import numpy as np
import pytest

from maskgen.datasets.sample import SHIPS_IN
from maskgen.face_mesh import Landmarks
from maskgen.images.codec import decode
from maskgen.landmarks.appearance import CHANNELS, ROWS, _coefficients, appearance, features, probability
from maskgen.masking.mask_face import mask_image
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.records import Plan

PORTRAIT = SHIPS_IN / "eileen_collins_face.jpg"


@pytest.fixture(scope="module")
def portrait(litert):
    image = decode(PORTRAIT.read_bytes()).bgr
    (face,) = litert.find(image)
    return image, face


def moved(points, across=0.0, down=0.0, scale=1.0):
    """The mesh shifted by so many eye distances, and scaled about its middle."""
    eyes = np.linalg.norm(points[263] - points[33])
    middle = points.mean(axis=0)
    return (points - middle) * scale + middle + eyes * np.array([across, down, 0.0])


@pytest.mark.parametrize("score", ["mesh", "mask"])
def test_the_table_has_a_number_for_every_row_and_channel(score):
    weights, intercept = _coefficients(score)
    assert weights.shape == (len(ROWS), len(CHANNELS))
    assert np.isfinite(weights).all() and np.isfinite(intercept)


def test_a_bare_face_wears_no_mask(portrait):
    _, face = portrait
    assert face.mask_score < 0.1
    assert face.mesh_score > 0.9


@pytest.mark.parametrize("template", ["surgical_blue", "cloth_black", "kn95_white", "cloth_floral"])
@pytest.mark.parametrize("wear", ["correct", "nose-out"])
def test_a_masked_face_wears_one(portrait, litert, template, wear):
    image, face = portrait
    options = SynthOptions("")
    masked = mask_image(
        image, [face], [Plan(template, wear, None, None, 1)], {template: load_template(template)}, options
    ).image
    (again,) = litert.find(masked)
    assert again.mask_score >= (0.5 if wear == "correct" else 0.3)


@pytest.mark.parametrize(
    "change",
    [{"across": 0.4}, {"down": -0.4}, {"down": 0.4}, {"scale": 1.5}, {"scale": 0.65}],
    ids=str,
)
def test_a_mesh_beside_the_face_looks_less_like_one(portrait, change):
    image, face = portrait
    points = face.points.astype(np.float64)
    assert appearance(image, moved(points, **change)).mesh < appearance(image, points).mesh - 3


def test_light_color_and_size_of_the_image_change_little(portrait):
    image, face = portrait
    points = face.points.astype(np.float64)
    right = appearance(image, points)
    dark = appearance((image // 2).astype(np.uint8), points)
    large = np.repeat(np.repeat(image, 3, axis=0), 3, axis=1)
    near = appearance(large, points * 3 + (1, 1, 0))
    for other in (dark, near):
        assert other.mask < 0 < other.mesh
        assert other.mask == pytest.approx(right.mask, abs=3)


def test_any_image_has_features():
    points = np.asarray(Landmarks(np.zeros((468, 3), np.float32), (9, 9)).points, np.float64)
    rng = np.random.default_rng(0)
    points += rng.uniform(0, 30, points.shape)
    for image in (np.zeros((40, 40, 3), np.uint8), np.full((8, 3, 3), 255, np.uint8)):
        values = features(image, points)
        assert values.shape == (len(ROWS), len(CHANNELS))
        assert np.isfinite(values).all()


def test_a_probability_stays_between_0_and_1():
    assert [probability(logit) for logit in (-1e9, 0, 1e9)] == pytest.approx([0, 0.5, 1])
