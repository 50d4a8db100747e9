import logging

import pytest
from layouts import CELEBA_ATTRIBUTES, LAYOUTS

from maskgen.errors import AnnotationError

PICTURES = ("img_align_celeba/000001.jpg", "img_align_celeba/000002.jpg")
LABELS = {path: content for path, content in LAYOUTS["celeba"].items() if content}
CSV = {
    "list_attr_celeba.csv": "image_id,5_o_Clock_Shadow,Male,Young\n000001.jpg,-1,-1,1\n000002.jpg,1,1,-1\n",
    "list_eval_partition.csv": "image_id,partition\n000001.jpg,0\n000002.jpg,1\n",
}
NESTED = tuple(path.replace("img_align_celeba/", "img_align_celeba/img_align_celeba/") for path in PICTURES)


@pytest.mark.parametrize(
    ("files", "pictures", "identities"),
    [
        (LABELS, PICTURES, ["2880", "2937"]),
        (
            LABELS,
            [path.replace("align_celeba", "align_celeba_png").replace(".jpg", ".png") for path in PICTURES],
            ["2880", "2937"],
        ),
        (
            {f"Anno/{name}": text for name, text in LABELS.items()},
            [f"Img/{path}" for path in PICTURES],
            ["2880", "2937"],
        ),
        (CSV, PICTURES, [None, None]),
        (CSV, NESTED, [None, None]),
        (
            {name: text.replace("\n", "\r\n").replace("3\r", "202599\r") for name, text in LABELS.items()},
            PICTURES,
            ["2880", "2937"],
        ),
        (
            LABELS | {"identity_CelebA.txt": "image identity\n000001.jpg 1\n000002.jpg 2"},
            PICTURES,
            ["1", "2"],
        ),
        (
            {
                "list_attr_celeba.csv": (
                    ",5_o_Clock_Shadow,Young,Partition,Male\n000001.jpg,0,1,0,0\n000002.jpg,1,0,1,1"
                )
            },
            PICTURES,
            [None, None],
        ),
    ],
    ids=[
        "one-folder",
        "png",
        "as-published",
        "kaggle",
        "kaggle-nested",
        "crlf-and-count",
        "headers",
        "partition-column",
    ],
)
def test_reads_every_published_form(files, pictures, identities, tree, read):
    samples = list(read("celeba", tree(files, *pictures)).values())
    assert [sample.attributes for sample in samples] == [
        {"5_o_Clock_Shadow": False, "Male": False, "Young": True, "gender": "female"},
        {"5_o_Clock_Shadow": True, "Male": True, "Young": False, "gender": "male"},
    ]
    assert [sample.split for sample in samples] == ["train", "validation"]
    assert [sample.identity for sample in samples] == identities
    assert [sample.note for sample in samples] == [None, None]


def test_the_annotations_are_found_where_they_were_published(tree, read):
    root = tree(
        {"Anno/list_attr_celeba.txt": CELEBA_ATTRIBUTES, "Eval/list_eval_partition.txt": "000003.jpg 2\n"},
        "Img/img_align_celeba/000003.jpg",
    )
    (sample,) = read("celeba", root).values()
    assert (sample.split, sample.attributes["gender"]) == ("test", "female")


def test_boxes_are_those_of_the_pictures_in_the_wild(tree, read):
    boxes = "2\nimage_id x_1 y_1 width height\n000001.jpg    95  71 226 313\n000002.jpg 0 0 0 0\n"
    samples = read(
        "celeba",
        tree({"list_bbox_celeba.txt": boxes}, *PICTURES, "img_celeba/000001.jpg", "img_celeba/000002.jpg"),
    )
    assert {id: sample.boxes for id, sample in samples.items() if sample.boxes} == {
        "img_celeba/000001.jpg": ((95.0, 71.0, 226.0, 313.0),)
    }


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("000001.jpg -1 1", "2 values where 3 were expected"),
        ("000001.jpg -1 2 1", "Male is '2' where 1 or -1"),
        ("000009.jpg -1 1 1", "list_attr_celeba.txt has no row for it"),
        ("000001.jpg -1 1 1\n000001.jpg -1 -1 1", "contradictory rows"),
    ],
)
def test_a_picture_without_a_usable_row_is_unlabelled_and_says_why(row, note, tree, read):
    root = tree({"list_attr_celeba.txt": f"1\n5_o_Clock_Shadow Male Young\n{row}\n"}, PICTURES[0])
    (sample,) = read("celeba", root).values()
    assert note in sample.note
    assert "gender" not in sample.attributes


def test_a_list_without_gender_is_refused(tree, read):
    root = tree({"list_attr_celeba.txt": "1\nSmiling Young\n000001.jpg -1 1\n"}, PICTURES[0])
    with pytest.raises(AnnotationError, match=r"list_attr_celeba\.txt, line 2: expected a column 'Male'"):
        read("celeba", root)


def test_a_list_that_lost_its_header_has_the_published_columns(tree, read):
    values = " ".join(["-1"] * 20 + ["1"] + ["-1"] * 19)
    (sample,) = read("celeba", tree({"list_attr_celeba.txt": f"000001.jpg {values}\n"}, PICTURES[0])).values()
    assert sample.attributes["gender"] == "male"
    assert sum(sample.attributes[name] is True for name in sample.attributes) == 1
    assert len(sample.attributes) == 41


def test_of_all_rows_of_celeba_those_without_a_picture_are_counted(tree, read, caplog):
    caplog.set_level(logging.INFO, "maskgen")
    numbers = [f"{number:06}.jpg" for number in range(1, 202_600)]
    names = ["Male", *(f"attribute_{number}" for number in range(39))]
    row = " -1" * 20 + "  1" * 20
    root = tree(
        {
            "list_attr_celeba.txt": f"202599\n{' '.join(names)} \n"
            + "".join(f"{n} {row}\n" for n in numbers),
            "identity_CelebA.txt": "".join(f"{n} {i % 10_177}\n" for i, n in enumerate(numbers)),
            "list_eval_partition.txt": "".join(f"{n} {i % 3}\n" for i, n in enumerate(numbers)),
        },
        *PICTURES,
    )
    assert len(read("celeba", root)) == 2
    assert "list_attr_celeba.txt: 202,597 of 202,599 rows name images that are not here" in caplog.messages
