"""A face turned by any angle is found, and its mesh is turned with it."""

import cv2
import numpy as np
import pytest

from maskgen.datasets.sample import SHIPS_IN
from maskgen.images.codec import decode


def turned(image, degrees):
    """The image turned clockwise, and the (2, 3) matrix of its points."""
    height, width = image.shape[:2]
    side = round(float(np.hypot(height, width)))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    return cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), matrix


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_a_portrait_turned_by_any_angle(litert, degrees):
    image = decode((SHIPS_IN / "eileen_collins_face.jpg").read_bytes()).bgr
    (upright,) = litert.find(image)
    view, matrix = turned(image, degrees)
    (face,) = litert.find(view)
    expected = upright.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(face.points[:, :2] - expected, axis=1).mean() < 0.06 * upright.eye_distance
    off = (face.pose["roll"] - upright.pose["roll"] - degrees + 180) % 360 - 180
    assert abs(off) <= 5
    assert face.mesh_score >= 0.5
