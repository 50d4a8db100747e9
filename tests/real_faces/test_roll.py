"""A head turned about the line of sight turns its mask along, by the same angle."""

import functools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import maskgen.datasets
from maskgen.face_mesh import ANCHORS, canonical_template_points
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions

PORTRAIT = Path(maskgen.datasets.__file__).parent / "sample/eileen_collins_face.jpg"


@pytest.fixture(scope="module")
def striped(tmp_path_factory):
    """A white template with a red line down its middle."""
    bgra = np.zeros((896, 1024, 4), np.uint8)
    bgra[:, :, :3] = 255
    cv2.ellipse(bgra, (512, 490), (430, 340), 0, 0, 360, (255, 255, 255, 255), -1)
    bgra[:, 490:535, :2] = 0
    path = tmp_path_factory.mktemp("template") / "striped.png"
    cv2.imwrite(str(path), bgra)
    points = canonical_template_points()
    anchors = {name: points[list(indices)].mean(axis=0).tolist() for name, indices in ANCHORS.items()}
    told = {"schema": 1, "name": "striped", "kind": "cloth", "tone": "light", "recolourable": False}
    told |= {"licence": "MIT", "size": [1024, 896], "anchors": anchors}
    path.with_suffix(".json").write_text(json.dumps(told))
    return load_template(path)


@pytest.fixture(scope="module")
def portrait_turned():
    """Angle -> the portrait turned clockwise by so many degrees about its middle, and that turn's matrix."""
    image = cv2.imread(str(PORTRAIT))
    height, width = image.shape[:2]

    @functools.cache
    def turn(angle):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1.0)
        return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return turn


def axis_of_mask(image, landmarks, template, fit):
    """Degrees from the vertical, clockwise, of the red line in the composite."""
    options = SynthOptions("folder", fit=fit, harmonise=False, jitter=False, templates=(("striped", 1.0),))
    outcome = mask_image(image, [landmarks], [plan(options, "a", 0)], {"striped": template}, options)
    b, _, r = np.moveaxis(outcome.image.astype(int), 2, 0)
    y, x = np.nonzero((outcome.alpha == 255) & (r - b > 128))
    assert len(y) > 100
    slope = cv2.fitLine(np.stack([x, y], axis=1).astype(np.float32), cv2.DIST_L2, 0, 0.01, 0.01).ravel()
    return float(np.degrees(np.arctan2(-slope[0] * np.sign(slope[1]), abs(slope[1]))))


@pytest.mark.parametrize("fit", ["mesh", "half-split"])
def test_the_mask_turns_with_the_face(portrait_turned, landmarker, striped, fit):
    upright = landmarker.find(portrait_turned(0))[0]
    # The face's own axis in the upright image: from nose bridge to chin.
    x, y = upright.anchor("chin") - upright.anchor("nose_bridge")
    own = np.degrees(np.arctan2(-x, y))
    off = {}
    for angle in range(-30, 31, 10):
        image = portrait_turned(angle)
        found = landmarker.find(image)[0]
        off[angle] = round(axis_of_mask(image, found, striped, fit) - own - angle, 2)
    assert max(map(abs, off.values())) <= 2, off
