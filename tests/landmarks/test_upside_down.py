"""A face upside down is turned over, and never taken for an upright one."""

import numpy as np

from maskgen.datasets.sample import SHIPS_IN
from maskgen.images.codec import decode
from maskgen.landmarks import open_landmarker


def test_a_portrait_turned_by_180_degrees():
    image = decode((SHIPS_IN / "eileen_collins_face.jpg").read_bytes()).bgr
    landmarker = open_landmarker()
    (upright,) = landmarker.find(image)
    assert abs(upright.pose["roll"]) < 30
    turned = landmarker.find(np.ascontiguousarray(image[::-1, ::-1]))
    assert [round(abs(face.pose["roll"]), -1) > 150 for face in turned] in ([], [True])
