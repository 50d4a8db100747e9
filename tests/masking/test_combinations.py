"""Every combination of template, fit, blend and wear on the portrait that ships with maskgen."""

import itertools
from pathlib import Path

import cv2
import pytest

import maskgen.datasets
from maskgen.landmarks import open_landmarker
from maskgen.masking.fits import FIT_FUNCTIONS
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.records import WEARS

PORTRAIT = Path(maskgen.datasets.__file__).parent / "sample/eileen_collins_face.jpg"
TEMPLATES = sorted((Path(__file__).parents[2] / "mask_templates").glob("*.json"))
# Wear -> part of the face -> the least and the most of it that is covered.
BOUNDS = {
    "correct": {"nose": (0.85, 1), "mouth": (0.995, 1), "chin": (0.85, 1), "lower_face": (0.75, 1)},
    "nose-out": {"nose": (0, 0.35), "mouth": (0.9, 1), "chin": (0.85, 1)},
    "mouth-out": {"nose": (0, 0.02), "mouth": (0, 0.2), "chin": (0.6, 1)},
    "chin": {"nose": (0, 0), "mouth": (0, 0.02)},
}


@pytest.fixture(scope="module")
def portrait():
    """The portrait at half its size, and its landmarks."""
    image = cv2.imread(str(PORTRAIT))
    image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    landmarker = open_landmarker()
    faces = landmarker.find(image)
    landmarker.close()
    return image, faces[0]


@pytest.mark.parametrize("path", TEMPLATES, ids=[path.stem for path in TEMPLATES])
def test_every_combination_covers_what_its_wear_says(portrait, path):
    image, landmarks = portrait
    template = load_template(path)
    for fit, blend, wear in itertools.product(FIT_FUNCTIONS, ("overlay", "poisson"), WEARS):
        options = SynthOptions(
            "sample", fit=fit, blend=blend, wears=((wear, 1.0),), templates=((path.stem, 1.0),)
        )
        drawn = plan(options, "portrait", 0)
        outcome = mask_image(image, [landmarks], [drawn], {path.stem: template}, options)
        record = outcome.faces[0]
        assert record.wear_agrees, (fit, blend, wear, record.coverage)
        for part, (low, high) in BOUNDS[wear].items():
            assert low <= record.coverage[part] <= high, (fit, blend, wear, part, record.coverage)


def test_there_are_at_least_24_templates():
    assert len(TEMPLATES) >= 24
