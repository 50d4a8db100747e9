"""The plan draws everything, from nothing but its key; masking is then a pure function."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from synthetic_faces import mean_face, plain_template

from maskgen.masking.mask_face import choose_faces, mask_image
from maskgen.masking.materials.prints import MOTIFS
from maskgen.masking.plan import plan
from maskgen.options import SynthOptions

MANY = SynthOptions(
    "folder",
    templates=(("a", 1.0), ("b", 1.0), ("c", 2.0)),
    wears=(("correct", 2.0), ("nose-out", 1.0), ("chin", 1.0)),
    colors=("#ff0000", "#00ff00", "random"),
    patterns=("stripes", "dots"),
    variants=3,
    seed=5,
)


def noise(landmarks):
    width, height = landmarks.image_size
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_a_plan_depends_on_seed_sample_variant_and_face_and_on_nothing_else():
    first = plan(MANY, "x.jpg", 0, 0)
    assert plan(MANY, "x.jpg", 0, 0) == first
    assert plan(replace(MANY, dataset="lfw", alpha=True, shard_size=7, limit=1), "x.jpg", 0, 0) == first
    others = [
        plan(replace(MANY, seed=6), "x.jpg", 0, 0),
        plan(MANY, "y.jpg", 0, 0),
        plan(MANY, "x.jpg", 1, 0),
        plan(MANY, "x.jpg", 0, 1),
    ]
    assert len({p.seed for p in [first, *others]}) == 5


@pytest.mark.parametrize("choice", ["template", "wear", "color", "pattern"])
def test_choices_are_independent_of_every_attribute_over_ten_thousand_samples(choice):
    """Chi-squared of choice against a label that alternates, one that clusters, and one in the id."""
    ids = [f"{'female' if i % 2 else 'male'}/{i // 100:03d}/{i:05d}.jpg" for i in range(10_000)]
    drawn = [getattr(plan(MANY, sample_id, 0), choice) for sample_id in ids]
    if choice == "color":
        drawn = ["random" if c not in MANY.colors else c for c in drawn]
    for label in (
        [i % 2 for i in range(10_000)],
        [i // 5000 for i in range(10_000)],
        [i % 7 for i in range(10_000)],
    ):
        table = Counter(zip(drawn, label, strict=True))
        rows, columns = Counter(drawn), Counter(label)
        statistic = sum(
            (table[r, c] - rows[r] * columns[c] / 10_000) ** 2 / (rows[r] * columns[c] / 10_000)
            for r in rows
            for c in columns
        )
        freedom = (len(rows) - 1) * (len(columns) - 1)
        assert statistic < freedom + 4 * np.sqrt(2 * freedom), (choice, statistic)


def test_choices_are_independent_of_each_other():
    drawn = [plan(MANY, str(i), 0) for i in range(10_000)]
    table = Counter((p.template, p.wear) for p in drawn)
    for (template, wear), count in table.items():
        expected = {"a": 0.25, "b": 0.25, "c": 0.5}[template] * {"correct": 0.5}.get(wear, 0.25) * 10_000
        assert count == pytest.approx(expected, abs=5 * np.sqrt(expected))


def masked(faces, options, templates=None):
    templates = templates or {"plain": plain_template()}
    plans = [plan(options, "x", 0, index) for index in range(len(faces))]
    return mask_image(noise(faces[0] if faces else mean_face()), faces, plans, templates, options)


PLAIN = SynthOptions("folder", templates=(("plain", 1.0),))


@pytest.mark.parametrize("fit", ["half-split", "mesh"])
@pytest.mark.parametrize("blend", ["overlay", "poisson", "flatten"])
@pytest.mark.parametrize("harmonised", [True, False])
def test_every_blend_takes_every_fit(blend, fit, harmonised):
    outcome = masked([mean_face()], replace(PLAIN, blend=blend, fit=fit, harmonise=harmonised))
    assert outcome
    record = outcome.faces[0]
    assert record.coverage["mouth"] > 0.95
    assert record.blend == blend and record.fit == ("polygon" if blend == "flatten" else fit)
    assert (record.template is None) == (blend == "flatten")


def test_pixels_far_from_the_mask_are_the_sources_bit_for_bit():
    face = mean_face()
    outcome = masked([face], PLAIN)
    source = noise(face)
    x, y, width, height = outcome.faces[0].mask_box
    changed = (outcome.image != source).any(axis=2)
    assert changed.any()
    changed[y - 12 : y + height + 12, x - 12 : x + width + 12] = False
    assert not changed.any()


@pytest.mark.parametrize(
    ("faces", "status", "says"),
    [
        ([], "no_face", "cascade"),
        ([mean_face(eye_distance=6.0)], "too_small", "6.0 px"),
        ([mean_face(center=(900.0, 100.0))], "off_image", "outside"),
        ([mean_face()], "masked", None),
    ],
)
def test_what_becomes_of_a_sample_is_a_value_with_a_reason(faces, status, says):
    outcome = masked(faces, PLAIN)
    assert outcome.status == status
    assert bool(outcome) == (status == "masked")
    assert outcome.reason is None if says is None else says in outcome.reason


def test_all_faces_of_a_group_are_masked_each_with_its_own_record():
    faces = [
        mean_face(eye_distance=70.0, center=(120.0, 150.0)),
        mean_face(eye_distance=50.0, center=(300.0, 150.0)),
    ]
    outcome = masked(faces, replace(PLAIN, faces="all"))
    assert [record.box[2] for record in outcome.faces] == [round(face.box[2]) for face in faces]
    assert all(record.coverage["mouth"] > 0.9 for record in outcome.faces)


@pytest.mark.parametrize(("which", "chosen"), [("largest", [0]), ("all", [0, 1]), ("center", [1])])
def test_which_faces_are_chosen(which, chosen):
    faces = [
        mean_face(eye_distance=80.0, center=(80.0, 100.0)),
        mean_face(eye_distance=40.0, center=(200.0, 200.0)),
    ]
    assert choose_faces(faces, which) == [faces[index] for index in chosen]
    assert choose_faces([], which) == []


def test_a_colour_is_recorded_only_where_the_template_took_it():
    red = replace(PLAIN, colors=("#ff0000",))
    assert masked([mean_face()], red).faces[0].color == "#ff0000"
    fixed = {"plain": plain_template(recolourable=False)}
    assert masked([mean_face()], red, fixed).faces[0].color is None


def test_a_random_pattern_is_any_print_but_noise_which_is_drawn_where_it_is_named():
    drawn = {plan(replace(MANY, patterns=("random",)), str(i), 0).pattern for i in range(400)}
    assert drawn == set(MOTIFS) - {"noise"}
    assert plan(replace(MANY, patterns=("noise",)), "x", 0).pattern == "noise"
