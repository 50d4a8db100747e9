"""The direction of the light is read off skin that is shaded like the face."""

import math

import cv2
import numpy as np
import pytest

from maskgen.face_mesh import canonical_face
from maskgen.masking.face.context import FaceContext
from tests.synthetic_faces import mean_face

SKIN = np.array([110.0, 140.0, 190.0])


def towards(across, down):
    """A unit vector: degrees to the image's right, and degrees down, from the camera's own direction."""
    x, y = np.sin(np.radians([across, down]))
    return np.array([x, y, -math.sqrt(max(1 - x * x - y * y, 0.0))])


def lit_face(direction, strength, landmarks):
    """A face of bare skin, each triangle of its mesh shaded by a distant light and an even one."""
    width, height = landmarks.image_size
    image = np.full((height, width, 3), 90, np.uint8)
    corners = canonical_face()[:, :2] * 100 + 200
    division = cv2.Subdiv2D((0, 0, 400, 400))
    for x, y in corners.tolist():
        division.insert((x, y))
    points = landmarks.points.astype(np.float64)
    for x0, y0, x1, y1, x2, y2 in division.getTriangleList().tolist():
        three = [
            int(np.linalg.norm(corners - corner, axis=1).argmin())
            for corner in ((x0, y0), (x1, y1), (x2, y2))
        ]
        a, b, c = points[three]
        normal = np.cross(b - a, c - a)
        normal *= -np.sign(normal[2]) / max(np.linalg.norm(normal), 1e-9)
        luminance = 1 - strength + strength * max(normal @ direction, 0)
        color = SKIN * luminance ** (1 / 2.2)
        cv2.fillConvexPoly(image, np.rint(points[three][:, :2]).astype(np.int32), color.round().tolist())
    return image


@pytest.mark.parametrize("turn", [{}, {"yaw": 25}, {"pitch": 12}, {"roll": 30}], ids=str)
@pytest.mark.parametrize(
    ("across", "down"), [(0, -15), (40, -20), (-40, -20), (60, 0), (0, 40)], ids=lambda value: f"{value:+d}"
)
def test_the_direction_is_that_of_the_light(across, down, turn):
    landmarks = mean_face(**turn)
    direction = towards(across, down)
    measured = FaceContext(lit_face(direction, 0.7, landmarks), landmarks).light_direction
    away = math.degrees(math.acos(min(float(measured.direction @ direction), 1.0)))
    assert away < 15, measured
    assert measured.strength == pytest.approx(0.7, abs=0.15)


def test_even_light_has_little_direction():
    landmarks = mean_face()
    measured = FaceContext(lit_face(towards(0, 0), 0.0, landmarks), landmarks).light_direction
    assert measured.strength < 0.3


@pytest.mark.parametrize("image", [np.zeros((400, 400, 3), np.uint8), np.full((400, 400, 3), 255, np.uint8)])
@pytest.mark.parametrize("center", [(200.0, 160.0), (900.0, 160.0)], ids=["inside", "outside"])
def test_an_image_without_evidence_has_a_usual_light(image, center):
    measured = FaceContext(image, mean_face(center=center)).light_direction
    assert np.linalg.norm(measured.direction) == pytest.approx(1, abs=1e-3)
    assert measured.direction[2] < 0
    assert 0 <= measured.strength <= 1
