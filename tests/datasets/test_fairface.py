import pytest

from maskgen.errors import AnnotationError

HEADER = "file,age,gender,race,service_test\n"


def test_reads_labels_and_splits(tree, read):
    root = tree(
        {
            "fairface_label_train.csv": HEADER + "train/1.jpg,more than 70,Male,East Asian,True\n",
            "fairface_label_val.csv": HEADER + "val/1.jpg,0-2,Female,Latino_Hispanic,False\n",
        },
        *("train/1.jpg", "val/1.jpg", "train/2.jpg", "preview.jpg"),
    )
    samples = read("fairface", root)
    assert samples["train/1.jpg"].attributes == {
        **{"gender": "male", "age": "more than 70", "race": "East Asian", "service_test": True}
    }
    assert samples["val/1.jpg"].attributes == {
        **{"gender": "female", "age": "0-2", "race": "Latino_Hispanic", "service_test": False}
    }
    assert [sample.split for sample in samples.values()] == [None, "train", "train", "validation"]
    assert samples["train/2.jpg"].note == "fairface_label_train.csv has no row for it"


@pytest.mark.parametrize(
    "below", ["", "fairface-img-margin025-trainval/", "fairface-img-margin125-trainval/"]
)
@pytest.mark.parametrize("prefix", ["", "fairface/", "./"])
def test_either_padding_and_any_prefix(below, prefix, tree, read):
    root = tree(
        {"fairface_label_val.csv": f"{HEADER}{prefix}val/7.jpg,3-9,Male,Black,TRUE\r\n"}, f"{below}val/7.jpg"
    )
    sample = read("fairface", root)[f"{below}val/7.jpg"]
    assert sample.attributes["gender"] == "male"
    assert sample.attributes["service_test"] is True


@pytest.mark.parametrize(
    ("written", "age"),
    [
        *[("03-Sep", "3-9"), ("9-Mar", "3-9"), ("Oct-19", "10-19"), ("19-Oct", "10-19"), ("20-29", "20-29")],
        ("44", None),
    ],
)
def test_ages_that_a_spreadsheet_took_for_dates_are_mended(written, age, tree, read):
    root = tree(
        {"fairface_label_train.csv": f"{HEADER}train/1.jpg,{written},Male,White,FALSE\n"}, "train/1.jpg"
    )
    sample = read("fairface", root)["train/1.jpg"]
    assert sample.attributes.get("age") == age
    assert (sample.note is None) == (age is not None)


def test_rows_that_contradict_each_other_leave_no_label(tree, read):
    rows = "train/1.jpg,3-9,Male,White,True\ntrain/1.jpg,3-9,Female,White,True\n"
    sample = read("fairface", tree({"fairface_label_train.csv": HEADER + rows}, "train/1.jpg"))["train/1.jpg"]
    assert sample.attributes == {"age": "3-9", "race": "White", "service_test": True}
    assert "different gender" in sample.note


def test_a_file_without_gender_is_refused(tree, read):
    with pytest.raises(
        AnnotationError, match=r"fairface_label_train\.csv, line 1: expected a column 'gender'"
    ):
        read("fairface", tree({"fairface_label_train.csv": "file,age\ntrain/1.jpg,3-9\n"}, "train/1.jpg"))
