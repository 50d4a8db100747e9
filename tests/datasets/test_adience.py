import logging

import pytest
from layouts import ADIENCE_HEADER, adience_row

from maskgen.errors import AnnotationError

TILTED = "faces/306@N03/coarse_tilt_aligned_face.1.103_o.jpg"
ALIGNED = "aligned/306@N03/landmark_aligned_face.1.103_o.jpg"


def fold(*rows: str) -> dict[str, str]:
    return {"fold_2_data.txt": ADIENCE_HEADER + "".join(rows)}


@pytest.mark.parametrize("picture", [TILTED, ALIGNED])
@pytest.mark.parametrize("file", ["fold_2_data.txt", "fold_frontal_2_data.txt"])
def test_reads_both_alignments_by_fold(picture, file, tree, read):
    rows = ADIENCE_HEADER + adience_row("306@N03", "103_o.jpg", 1, "(25, 32)", "f")
    (sample,) = read("adience", tree({file: rows}, picture)).values()
    assert sample.identity == "1"
    assert sample.note is None
    assert sample.attributes == {
        **{"gender": "female", "age": "25-32", "fold": 2, "face_id": 1, "x": 10, "y": 20, "dx": 30, "dy": 30},
        **{"tilt_ang": -115, "fiducial_yaw_angle": 30, "fiducial_score": 17},
    }


@pytest.mark.parametrize(
    ("written", "age"),
    [
        *[("(0, 2)", "0-2"), ("(60, 100)", "60-100"), ("(25, 23)", "25-32"), ("(27, 32)", "25-32")],
        *[("(38, 42)", "38-43"), ("(38, 48)", "38-48"), ("(8, 23)", "8-23"), ("35", "35"), ("29", "25-32")],
        *[("None", None), ("", None)],
    ],
)
def test_ages_become_buckets_where_one_holds_them(written, age, tree, read):
    root = tree(fold(adience_row("306@N03", "103_o.jpg", 1, written, "m")), TILTED)
    assert read("adience", root)[TILTED].attributes.get("age") == age


@pytest.mark.parametrize(("gender", "note"), [("u", "is u"), ("", "is empty")])
def test_an_unknown_gender_is_no_label(gender, note, tree, read):
    root = tree(fold(adience_row("306@N03", "103_o.jpg", 1, "(0, 2)", gender)), TILTED)
    sample = read("adience", root)[TILTED]
    assert "gender" not in sample.attributes
    assert note in sample.note
    assert sample.attributes["age"] == "0-2"


@pytest.mark.parametrize(("second", "gender"), [("f", "female"), ("m", None)])
def test_a_row_that_is_there_twice_counts_where_both_agree(second, gender, tree, read):
    rows = [adience_row("306@N03", "103_o.jpg", 1, "(0, 2)", g) for g in ("f", second)]
    sample = read("adience", tree(fold(*rows), TILTED))[TILTED]
    assert sample.attributes.get("gender") == gender
    assert (sample.note is None) == (gender is not None)


def test_the_user_and_the_face_must_fit_and_not_the_picture_alone(tree, read):
    rows = [
        adience_row("9@N1", "103_o.jpg", 1, "(0, 2)", "f"),
        adience_row("306@N03", "103_o.jpg", 2, "(0, 2)", "f"),
    ]
    sample = read("adience", tree(fold(*rows), TILTED))[TILTED]
    assert sample.attributes == {}
    assert "no row" in sample.note


def test_damaged_rows_and_line_ends_of_bad_copies(tree, read, caplog):
    caplog.set_level(logging.INFO, "maskgen")
    good = adience_row("306@N03", "103_o.jpg", 1, "(0, 2)", "f")
    text = ADIENCE_HEADER + "a\tb\n" + good + "\t".join(good.split("\t")[:9]) + "\n"
    sample = read("adience", tree({"fold_0_data.txt": text.replace("\n", "\r\n")}, TILTED))[TILTED]
    assert (sample.attributes["gender"], sample.attributes["fold"]) == ("female", 0)
    assert any("2 damaged rows" in message for message in caplog.messages)


def test_a_fold_without_its_columns_is_refused(tree, read):
    with pytest.raises(
        AnnotationError, match=r"fold_0_data\.txt, line 1: expected a column 'original_image'"
    ):
        read("adience", tree({"fold_0_data.txt": "user_id\tgender\n"}, TILTED))
