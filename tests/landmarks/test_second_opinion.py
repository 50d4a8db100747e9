"""The second opinion on a mesh: what makes it worse, and when further looks confirm a mesh."""

from dataclasses import replace

import numpy as np
import pytest

from maskgen.datasets.sample import SHIPS_IN
from maskgen.images.codec import decode
from maskgen.landmarks.engine import Mesh
from maskgen.landmarks.second_opinion import agreed, opinion


@pytest.fixture(scope="module")
def portrait(litert):
    image = decode((SHIPS_IN / "eileen_collins_face.jpg").read_bytes()).bgr
    (face,) = litert.find(image)
    points = face.points.astype(np.float64)
    keypoints = np.zeros((6, 3))
    keypoints[2, :2], keypoints[3, :2] = points[4, :2], points[[13, 14], :2].mean(axis=0)
    return image, Mesh(points, 0.9, 1.0, keypoints)


def test_a_detector_and_a_model_that_agree_cost_nothing(portrait):
    image, mesh = portrait
    known = opinion(image, mesh)
    assert known.agrees and known.mesh > 1
    assert opinion(image, replace(mesh, keypoints=None, presence=None)) == known


def test_key_points_elsewhere_and_a_doubtful_presence_count_against_the_mesh(portrait):
    image, mesh = portrait
    best = opinion(image, mesh).mesh
    eyes = np.linalg.norm(mesh.points[263] - mesh.points[33])
    apart = opinion(image, replace(mesh, keypoints=mesh.keypoints + np.array([0.3 * eyes, 0, 0])))
    doubtful = opinion(image, replace(mesh, presence=0.5))
    assert apart.mesh == pytest.approx(best - 6 * (0.3 - 0.12), abs=0.01)
    assert doubtful.mesh == pytest.approx(best - 1, abs=0.01)
    assert not apart.agrees and not doubtful.agrees


@pytest.mark.parametrize(
    ("looks_apart", "expected"), [([0.01, 0.03], True), ([0.01, 0.2], False), ([0.01], False), ([], False)]
)
def test_several_looks_must_agree(looks_apart, expected):
    assert agreed(looks_apart) is expected


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_in_a_box_of_a_turned_image(portrait, litert, quarters):
    image, mesh = portrait
    turned = np.ascontiguousarray(np.rot90(image, -quarters))
    height, width = image.shape[:2]
    x, y = mesh.points[:, :2].T
    corners = {1: (height - 1 - y, x), 2: (width - 1 - x, height - 1 - y), 3: (y, width - 1 - x)}[quarters]
    expected = np.stack(corners, axis=1)
    low, high = expected.min(axis=0), expected.max(axis=0)
    (face,) = litert.find(turned, boxes=[(*low, *(high - low))])
    assert np.linalg.norm(face.points[:, :2] - expected, axis=1).mean() < 0.08 * face.eye_distance
