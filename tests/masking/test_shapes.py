"""Shapes: what each kind of mask covers, however the head is turned and the mask is worn."""

from itertools import combinations

import numpy as np
import pytest
from synthetic_faces import LIGHT, PLAIN, in_image, laid, mean_face, worn

from maskgen.masking.coverage import coverage, wear_agrees
from maskgen.masking.garment.drape import drape
from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.garment import Cloth, Patch
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.garment.shapes.parts import Accents
from maskgen.masking.templates.library import list_templates
from maskgen.records import WEARS, Hang

KINDS = pytest.mark.parametrize("kind", SHAPES)
SEEDS = range(6)


def test_every_shape_has_a_template_and_the_reverse():
    assert {info.kind for info in list_templates()} == set(SHAPES) == set(PLAIN)


def shares_of(kind, face, wear="correct", seed=0, fit="mesh"):
    return coverage(in_image(laid(fit, PLAIN[kind], face, wear, seed=seed), face), face)[0]


# Kind -> the least share of the face below the middle of the nose that it covers, frontal.
LEAST = {
    **dict.fromkeys(("surgical", "sponge", "kn95", "gaiter"), 0.82),
    **{"cloth": 0.86, "sports": 0.84, "n95": 0.72, "ffp2": 0.75},
}


@KINDS
@pytest.mark.parametrize("seed", SEEDS)
def test_a_frontal_face_is_covered(kind, seed):
    shares = shares_of(kind, mean_face(), seed=seed)
    assert shares["nose"] >= 0.9 and shares["mouth"] >= 0.995 and shares["chin"] >= 0.85, shares
    assert shares["lower_face"] >= LEAST[kind]


@KINDS
@pytest.mark.parametrize("yaw", [-70, -40, -20, 20, 40, 70])
def test_nose_and_mouth_are_covered_at_every_yaw(kind, yaw):
    for seed in SEEDS:
        shares = shares_of(kind, mean_face(yaw=yaw), seed=seed)
        assert shares["nose"] >= 0.9 and shares["mouth"] >= 0.995, (seed, shares)


@KINDS
@pytest.mark.parametrize("pitch", [-15, 15])
def test_nose_and_mouth_are_covered_at_every_pitch(kind, pitch):
    for seed in SEEDS:
        shares = shares_of(kind, mean_face(pitch=pitch), seed=seed)
        assert shares["nose"] >= 0.85 and shares["mouth"] >= 0.995, (seed, shares)


@KINDS
@pytest.mark.parametrize("wear", WEARS)
@pytest.mark.parametrize("fit", ["mesh", "half-split"])
def test_each_wear_covers_what_it_says(kind, wear, fit):
    for seed in SEEDS:
        shares = shares_of(kind, mean_face(), wear, seed, fit)
        assert wear_agrees(wear, shares), (seed, shares)


@KINDS
@pytest.mark.parametrize(
    ("yaw", "eyes"), [(-40, ["right_eye"]), (0, ["left_eye", "right_eye"]), (40, ["left_eye"])]
)
def test_the_eyes_stay_bare(kind, yaw, eyes):
    """Of a face that is turned far, the near eye: the nose hides the other one."""
    face = mean_face(yaw=yaw)
    for seed in SEEDS:
        alpha = in_image(laid("mesh", PLAIN[kind], face, seed=seed), face)
        for eye in eyes:
            x, y = np.round(face.anchor(eye)).astype(int)
            assert alpha[y - 3 : y + 4, x - 3 : x + 4].max() == 0, (seed, eye)


@KINDS
def test_a_hang_does_not_lift_the_lower_edge_off_the_chin(kind):
    face = mean_face()
    for seed in SEEDS:
        lifted = laid("mesh", PLAIN[kind], face, seed=seed, hang=Hang(lift=0.2))
        assert coverage(in_image(lifted, face), face)[0]["chin"] >= 0.85, seed


@KINDS
def test_a_mask_that_is_worn_low_keeps_its_width(kind):
    face = mean_face(size=(500, 500), center=(250, 160))
    widths = [
        np.ptp(np.flatnonzero((laid("mesh", PLAIN[kind], face, wear).alpha > 127).any(axis=0)))
        for wear in ("correct", "nose-out")
    ]
    assert widths[1] > 0.85 * widths[0]


def outline_of(kind, seed=3):
    face = mean_face()
    return in_image(laid("mesh", PLAIN[kind], face, seed=seed), face) > 127


@pytest.mark.parametrize(("one", "other"), combinations(SHAPES, 2))
def test_the_outlines_of_two_kinds_differ(one, other):
    first, second = outline_of(one), outline_of(other)
    assert (first & second).sum() < 0.92 * (first | second).sum()


@KINDS
def test_a_shape_takes_any_material(kind):
    """A valve, a mark and a binding are drawn where the shape has a place for them, and break none."""
    mark = Patch(np.full((20, 30, 4), 255, np.uint8), None, (0.1, 0.0), (0.4, 0.3))
    accents = Accents((10, 20, 30), (40, 50, 60), (200, 0, 200), (mark,))
    garment = SHAPES[kind](Draws(5, "shape"), Cloth((90, 90, 90)), accents)
    face = mean_face()
    layer = drape(garment, face, worn(), LIGHT)
    assert coverage(in_image(layer, face), face)[0]["mouth"] >= 0.995
