"""Golden images: the sample portrait, masked in several ways, so that a drift of pixels is seen.

``MASKGEN_UPDATE_GOLDEN=1 pytest tests/masking/test_golden.py`` draws them again; look at them before they
are committed, and name the change of bytes in CHANGELOG.md.
"""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskgen.datasets.sample import SHIPS_IN
from maskgen.face_mesh import Landmarks
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions

GOLDEN = Path(__file__).parent / "golden"
LANDMARKS = Path(__file__).parents[1] / "landmarks" / "golden_landmarks.json"
PORTRAIT = SHIPS_IN / "eileen_collins_face.jpg"
SIDE = 128  # pixels of a golden image

# Name -> template, and options apart from the defaults.
CASES = {
    "surgical-overlay": ("surgical_blue", {}),
    "surgical-poisson-nose-out": ("surgical_black", {"blend": "poisson", "wears": (("nose-out", 1.0),)}),
    "respirator-poisson": ("n95_white", {"blend": "poisson"}),
    "cloth-half-split": ("cloth_floral", {"fit": "half-split"}),
    "kn95-chin": ("kn95_grey", {"wears": (("chin", 1.0),)}),
    "gaiter-print": ("gaiter_bandana", {}),
    "sports-valves": ("sports_black", {}),
    "sponge-mouth-out": ("sponge_grey", {"wears": (("mouth-out", 1.0),)}),
    "flatten": ("surgical_blue", {"blend": "flatten"}),
}


@pytest.fixture(scope="module")
def portrait():
    """The portrait and its golden landmarks, so that a test of masks is none of landmarks."""
    image = cv2.imread(str(PORTRAIT))
    points = json.loads(LANDMARKS.read_text())["points"][PORTRAIT.name]
    return image, [Landmarks(np.array(points, np.float32), image.shape[1::-1])]


def masked(portrait, template, changes):
    """The face and its surroundings, masked, at the size of a golden image."""
    image, faces = portrait
    options = SynthOptions("sample", **{"templates": ((template, 1.0),), **changes})
    drawn = plan(options, "golden", 0)
    templates = {drawn.template: load_template(drawn.template)} if drawn.template else {}
    outcome = mask_image(image, faces, [drawn], templates, options)
    x, y, width, height = faces[0].box
    left, top, side = max(0, round(x - width * 0.1)), max(0, round(y + height * 0.1)), round(width * 1.2)
    return cv2.resize(
        outcome.image[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )


@pytest.mark.parametrize("name", CASES)
def test_masks_look_as_they_did(portrait, name):
    now = masked(portrait, *CASES[name])
    path = GOLDEN / f"{name}.png"
    if os.environ.get("MASKGEN_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        cv2.imwrite(str(path), now)
    difference = np.abs(now.astype(int) - cv2.imread(str(path)).astype(int))
    assert difference.mean() <= 0.5
    assert np.quantile(difference, 0.999) <= 8


def test_a_drift_would_be_seen(portrait):
    lower = masked(portrait, "surgical_blue", {"seed": 1})
    golden = cv2.imread(str(GOLDEN / "surgical-overlay.png"))
    assert np.abs(lower.astype(int) - golden.astype(int)).mean() > 0.5
