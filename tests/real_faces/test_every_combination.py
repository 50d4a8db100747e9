"""Every template, fit, blend and wear on real faces: each face gets the next combinations in turn."""

import itertools

import pytest
from real_pictures import TEMPLATES, masked

from maskgen.records import WEARS

NAMES = sorted(path.stem for path in TEMPLATES.glob("*.json"))
COMBINATIONS = list(itertools.product(NAMES, ("mesh", "half-split"), ("overlay", "poisson"), WEARS))


@pytest.mark.parametrize("wear", WEARS)
def test_coverage_agrees_with_the_wear(faces_of, wear):
    faces = faces_of("celeba", 20)
    disagree = []
    chosen = [c for c in COMBINATIONS if c[3] == wear]
    for number, (name, fit, blend, _) in enumerate(chosen):
        face = faces[number % len(faces)]
        options = {"template": name, "fit": fit, "blend": blend, "wears": ((wear, 1.0),)}
        record = masked(face.image, face.landmarks, name=face.id, **options).record
        if not record.wear_agrees:
            disagree.append((name, fit, blend, face.id, dict(record.coverage)))
    # Two flat halves do not follow a face that looks far up.
    assert len(disagree) <= 0.01 * len(chosen), (f"{len(disagree)} of {len(chosen)}", disagree)
