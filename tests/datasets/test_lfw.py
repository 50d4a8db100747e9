import pytest

from maskgen.errors import AnnotationError

ANN, BOB = "Ann_Lee/Ann_Lee_0001.jpg", "Bob_Ray/Bob_Ray_0002.jpg"
LISTS = {"male_names.txt": "Bob_Ray_0002.jpg-\n\n", "female_names.txt": "Ann_Lee_0001.jpg\n"}
SCORES = (
    "# a comment\n#\tperson\timagenum\tMale\tAsian\n"
    "Bob Ray\t2\t1.57\t-1.9\nAnn Lee\t1\t-0.15\t0.7\nAnn Lee\t2\t0\t0\n"
)


@pytest.mark.parametrize(
    "folder", ["", "lfw/", "lfw_funneled/", "lfw-deepfunneled/", "lfw-deepfunneled/lfw-deepfunneled/"]
)
@pytest.mark.parametrize("labels", [LISTS, {"lfw_attributes.txt": SCORES}], ids=["lists", "scores"])
def test_reads_every_variant_with_either_source_of_gender(folder, labels, tree, read):
    samples = read("lfw", tree(labels, folder + ANN, folder + BOB))
    assert [(s.identity, s.attributes, s.note) for s in samples.values()] == [
        ("Ann_Lee", {"gender": "female"}, None),
        ("Bob_Ray", {"gender": "male"}, None),
    ]


def test_labels_inside_the_picture_folder_are_found(tree, read):
    samples = read(
        "lfw", tree({f"lfw_funneled/{name}": text for name, text in LISTS.items()}, f"lfw_funneled/{ANN}")
    )
    assert [sample.attributes["gender"] for sample in samples.values()] == ["female"]


def test_a_name_in_both_lists_or_in_neither_is_unlabelled_and_says_so(tree, read):
    root = tree({"male_names.txt": "Ann_Lee_0001.jpg\n", "female_names.txt": "Ann_Lee_0001.jpg\n"}, ANN, BOB)
    samples = read("lfw", root)
    assert all("gender" not in sample.attributes for sample in samples.values())
    assert "contradictory" in samples[ANN].note
    assert "no row" in samples[BOB].note


def test_the_lists_win_over_the_scores(tree, read):
    root = tree({"male_names.txt": "Ann_Lee_0001.jpg\n", "lfw_attributes.txt": SCORES}, ANN, BOB)
    assert {id: s.attributes.get("gender") for id, s in read("lfw", root).items()} == {ANN: "male", BOB: None}


@pytest.mark.parametrize(
    "lists",
    [
        {"peopleDevTrain.txt": "1\nAnn_Lee\t1\n", "peopleDevTest.txt": "1\nBob_Ray\t2\n"},
        {
            "pairsDevTrain.txt": "1\nAnn_Lee\t1\t2\n",
            "pairsDevTest.txt": "1\nBob_Ray\t1\t2\nCy_Doe\t1\tBob_Ray\t3\n",
        },
        {"pairsDevTrain.txt": "Ann_Lee\t1\t2\r\n", "pairsDevTest.txt": "Bob_Ray\t1\t2"},
    ],
    ids=["people", "pairs", "pairs-without-count"],
)
def test_view_one_gives_the_splits(lists, tree, read):
    samples = read("lfw", tree(lists, ANN, BOB, "Di_Fox/Di_Fox_0001.jpg"))
    assert [sample.split for sample in samples.values()] == ["train", "test", None]


def test_a_person_in_both_splits_is_in_none(tree, read):
    samples = read("lfw", tree({"peopleDevTrain.txt": "Ann_Lee\t1", "peopleDevTest.txt": "Ann_Lee\t1"}, ANN))
    assert samples[ANN].split is None


@pytest.mark.parametrize("text", ["no header\n", "#\tperson\timagenum\tMale\nAnn Lee\tone\t0.5\n"])
def test_scores_that_cannot_be_read_are_refused(text, tree, read):
    with pytest.raises(AnnotationError, match=r"lfw_attributes\.txt"):
        read("lfw", tree({"lfw_attributes.txt": text}, ANN))
