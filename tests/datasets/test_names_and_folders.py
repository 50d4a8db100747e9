"""Datasets whose labels are in the names of files and folders: utkface, gender-folders, folder."""

import pytest


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("26_1_0_20170116171048641.jpg.chip.jpg", {"age": 26, "gender": "female", "race": "White"}),
        ("116_0_4_20170116171048641.jpg", {"age": 116, "gender": "male", "race": "Others"}),
        ("24_0_1_20170116220224657 .jpg.chip.jpg", {"age": 24, "gender": "male", "race": "Black"}),
        ("55_0_0_20170116232725357jpg.chip.jpg", {"age": 55, "gender": "male", "race": "White"}),
        ("1_0_0_201701102325465116.jpg.chip.jpg", {"age": 1, "gender": "male", "race": "White"}),
        ("39_1_20170116174525125.jpg.chip.jpg", {"age": 39}),
        ("61_3_20170109150557335.jpg.chip.jpg", {"age": 61}),
        ("20_7_2_20170116171048641.jpg", {"age": 20, "race": "Asian"}),
        ("20_1_9_20170116171048641.jpg", {"age": 20, "gender": "female"}),
        ("portrait.jpg", {}),
    ],
)
def test_utkface_reads_what_a_name_says_and_guesses_nothing(name, attributes, tree, read):
    (sample,) = read("utkface", tree(None, f"UTKFace/{name}")).values()
    assert sample.attributes == attributes
    assert (sample.note is None) == (len(attributes) == 3)


@pytest.mark.parametrize(
    ("path", "gender", "split"),
    [
        ("Training/male/1.jpg.jpg", "male", "train"),
        ("Train/Female/1.jpg", "female", "train"),
        ("Validation/FEMALE/1.jpg", "female", "validation"),
        ("VAL/male/1.jpg", "male", "validation"),
        ("test/male/1.jpg", "male", "test"),
        ("archive/GenderOcclusionData/Training/female/1.jpg", "female", "train"),
        ("Training/female/more/1.jpg", "female", "train"),
        ("male/1.jpg", "male", None),
        ("dev/Man/1.jpg", "male", "validation"),
        ("eval/women/1.jpg", "female", "validation"),
        ("testing/F/1.jpg", "female", "test"),
        ("Training/M/boys/1.jpg", "male", "train"),
        ("Training/0/1.jpg", None, "train"),
        ("Training/male/female/1.jpg", None, "train"),
        ("Training/others/1.jpg", None, "train"),
        ("Training/male.jpg", None, "train"),
    ],
)
def test_gender_folders_go_by_folder_names_in_any_case(path, gender, split, tree, read):
    sample = read("gender-folders", tree(None, path))[path]
    assert (sample.attributes.get("gender"), sample.split) == (gender, split)
    assert (sample.note is None) == (gender is not None)


@pytest.mark.parametrize(
    ("path", "attributes"),
    [
        ("1.jpg", {}),
        ("a/b/1.jpg", {"folder": "b"}),
        ("Male/b/1.jpg", {"folder": "b", "gender": "male"}),
        ("female/1.jpg", {"folder": "female", "gender": "female"}),
        ("malefactors/1.jpg", {"folder": "malefactors"}),
        ("Woman/1.jpg", {"folder": "Woman", "gender": "female"}),
        ("m/1.jpg", {"folder": "m"}),
        ("male/female/1.jpg", {"folder": "female"}),
    ],
)
def test_folder_takes_the_folder_as_label_and_gender_only_by_its_word(path, attributes, tree, read):
    sample = read("folder", tree(None, path))[path]
    assert sample.attributes == attributes
    assert (sample.identity, sample.split) == (None, None)
