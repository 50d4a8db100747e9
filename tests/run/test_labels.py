"""The class of a row: of the sample, or of what the masking decides."""

from types import SimpleNamespace

import pytest

from maskgen.records import Sample
from maskgen.run.shard import label_of

SAMPLE = Sample("a.jpg", None, "a.jpg", "train", "Ada", {"gender": "female", "age": 31, "smiling": True})


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("gender", ("female", None)),
        ("age", ("31", None)),
        ("smiling", ("true", None)),
        ("identity", ("Ada", None)),
        ("split", ("train", None)),
        ("race", (None, "the dataset gives no race")),
        ("wear", (None, None)),
    ],
)
def test_label_of_a_sample(label, expected):
    assert label_of(SAMPLE, (), label) == expected


@pytest.mark.parametrize(
    ("label", "faces", "expected"),
    [
        ("kind", [("correct", True, "n95")], ("n95", None)),
        ("wear", [("chin", True, "n95")], ("chin", None)),
        ("wear", [("chin", False, "n95")], (None, "the coverage contradicts chin")),
        ("wear", [("chin", True, "n95"), ("correct", True, "n95")], (None, "its faces differ in wear")),
        ("kind", [("correct", True, None)], (None, "this blend has no kind")),
    ],
)
def test_label_that_the_mask_decides(label, faces, expected):
    fields = ("wear", "wear_agrees", "kind")
    records = [SimpleNamespace(mesh_score=None, **dict(zip(fields, face, strict=True))) for face in faces]
    assert label_of(SAMPLE, records, label) == expected


def test_a_face_whose_mesh_is_not_believed_has_no_wear():
    unsure = SimpleNamespace(wear="correct", wear_agrees=True, mesh_score=0.4)
    assert label_of(SAMPLE, [unsure], "wear") == (None, "the landmarks do not look right")


def test_a_sample_without_label_says_why():
    unsure = Sample("a.jpg", None, "a.jpg", note="its name is in both lists")
    assert label_of(unsure, (), "gender") == (None, "its name is in both lists")
