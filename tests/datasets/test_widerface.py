import pytest

from maskgen.errors import AnnotationError

FILE = "wider_face_split/wider_face_train_bbx_gt.txt"
PICTURE = "WIDER_train/images/0--Parade/1.jpg"
PATH = "0--Parade/1.jpg"


@pytest.mark.parametrize(
    ("rows", "boxes"),
    [
        ("1\n449 330 122 149 0 0 0 0 0 0 \n", [(449, 330, 122, 149)]),
        ("1\r\n449 330 122 149 0 0 0 0 0 0 \r\n", [(449, 330, 122, 149)]),
        ("0\n0 0 0 0 0 0 0 0 0 0 \n", []),
        ("0\n", []),
        ("1\n1 2 30 40 0 0 0 1 0 0 \n", []),
        ("1\n1 2 30 40 0 0 0 0 1 1 \n", [(1, 2, 30, 40)]),
        ("2\n1 2 0 40 0 0 0 0 0 0\n1 2 30 40 0 0 0 0 0 0", [(1, 2, 30, 40)]),
        ("1\n1 2 30 40 0 0 0 0 0 0\n5 6 70 80 0 0 0 0 0 0\n", [(1, 2, 30, 40), (5, 6, 70, 80)]),
        ("1\n-3 2 30 40\n", [(-3, 2, 30, 40)]),
    ],
    ids=[
        "one",
        "crlf",
        "none",
        "none-without-row",
        "invalid",
        "occluded",
        "no-area",
        "count-too-low",
        "four-columns",
    ],
)
def test_boxes_are_the_valid_ones(rows, boxes, tree, read):
    after = "0--Parade/2.jpg\n1\n9 9 9 9 0 0 0 0 0 0 \n"
    root = tree({FILE: f"{PATH}\n{rows.rstrip()}\n{after}"}, PICTURE)
    sample = read("widerface", root)[PICTURE]
    assert list(sample.boxes) == boxes
    assert (sample.split, sample.attributes, sample.note) == ("train", {"event": "Parade"}, None)


def test_a_picture_without_boxes_says_why_unless_none_were_published(tree, read):
    root = tree({FILE: ""}, PICTURE, "WIDER_val/images/0--Parade/1.jpg", "WIDER_test/images/0--Parade/1.jpg")
    samples = list(read("widerface", root).values())
    assert [sample.split for sample in samples] == ["test", "train", "validation"]
    assert samples[0].note is None
    assert all("no boxes" in sample.note for sample in samples[1:])


@pytest.mark.parametrize(
    ("text", "line"),
    [(f"{PATH}\n1\n1 2 3\n", 3), ("1 2 3 4\n", 1), ("7\n", 1), (f"{PATH}\n1\n1 2 3.4.5 6\n", 3)],
)
def test_rows_that_make_no_box_are_refused(text, line, tree, read):
    with pytest.raises(AnnotationError, match=rf"bbx_gt\.txt, line {line}: expected"):
        read("widerface", tree({FILE: text}, PICTURE))


@pytest.mark.parametrize("below", ["", "root/", "CroppedFaces/"])
def test_crops_have_a_gender_by_folder_and_none_where_the_name_disagrees(below, tree, read):
    names = ["0/1_f.jpg", "0/2.jpg", "0/3_m.jpg", "1/4_m.jpg"]
    samples = read("widerface", tree(None, *(below + name for name in names)))
    assert [sample.attributes.get("gender") for sample in samples.values()] == [
        "female",
        "female",
        None,
        "male",
    ]
    assert [bool(sample.note) for sample in samples.values()] == [False, False, True, False]
