"""The second opinion on a mesh: when a first look suffices, and what further looks add."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_faces import mean_face

from maskgen.datasets.sample import SHIPS_IN
from maskgen.images.codec import decode
from maskgen.landmarks.engine import Mesh
from maskgen.landmarks.second_opinion import GOOD, Opinion, opinion, second_opinion, spread


@pytest.fixture(scope="module")
def portrait(litert):
    image = decode((SHIPS_IN / "eileen_collins_face.jpg").read_bytes()).bgr
    (face,) = litert.find(image)
    return image, Mesh(face.points.astype(np.float64), 0.9, 1.0)


def mesh(yaw=0.0, right=0.0):
    """The mean face, shifted to the right by so many eye distances."""
    points = mean_face(eye_distance=80, yaw=yaw).points.astype(np.float64)
    return Mesh(points + np.array([80 * right, 0, 0]))


def test_a_portrait_needs_no_further_look(portrait):
    image, found = portrait
    assert opinion(image, found).is_clear and opinion(image, found).mesh > GOOD


def test_a_mesh_beside_the_face_needs_further_looks(portrait):
    image, found = portrait
    eyes = np.linalg.norm(found.points[263] - found.points[33])
    beside = replace(found, points=found.points + np.array([0, 0.4 * eyes, 0]))
    assert not opinion(image, beside).is_clear


def test_the_spread_is_the_mean_distance_in_eye_distances():
    assert spread([mesh(), mesh(), mesh()]) == 0
    assert spread([mesh(), mesh(right=0.3), mesh(right=0.3)]) == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize(
    ("yaw", "apart", "is_right"), [(0, 0.02, True), (0, 0.15, False), (45, 0.04, True), (45, 0.2, False)]
)
def test_a_right_mesh_is_steady(yaw, apart, is_right):
    judged = second_opinion(Opinion(0.0, -3.0), mesh(yaw), [mesh(yaw, apart), mesh(yaw, -apart / 2)])
    assert (judged.mesh > 0) is is_right
    assert judged.mask == -3.0


def test_appearance_and_steadiness_both_count():
    further = [mesh(30, 0.06), mesh(30, -0.06)]
    logits = [second_opinion(Opinion(look, 0.0), mesh(30), further).mesh for look in (-6.0, 0.0, 6.0)]
    assert logits == sorted(logits) and logits[0] < 0 < logits[2]


def test_a_face_that_is_not_found_again_is_wrong():
    assert second_opinion(Opinion(9.0, 0.0), mesh(), []).mesh < -5


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_in_a_box_of_a_turned_image(portrait, litert, quarters):
    image, found = portrait
    turned = np.ascontiguousarray(np.rot90(image, -quarters))
    height, width = image.shape[:2]
    x, y = found.points[:, :2].T
    corners = {1: (height - 1 - y, x), 2: (width - 1 - x, height - 1 - y), 3: (y, width - 1 - x)}[quarters]
    expected = np.stack(corners, axis=1)
    low, high = expected.min(axis=0), expected.max(axis=0)
    (face,) = litert.find(turned, boxes=[(*low, *(high - low))])
    assert np.linalg.norm(face.points[:, :2] - expected, axis=1).mean() < 0.08 * face.eye_distance
