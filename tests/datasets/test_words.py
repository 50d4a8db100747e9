"""The words for splits and genders: what each means, and that no module has a list of its own."""

import re
from pathlib import Path

import pytest

from maskgen.records import GENDER_WORDS, SPLIT_WORDS, SPLITS, gender_of, genders_in, split_of
from maskgen.results.huggingface import metadata_tables

PACKAGE = Path(__file__).parents[2] / "maskgen"


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("train", "train Training TRAIN"),
        ("validation", "val valid Validation dev eval evaluation"),
        ("test", "test Testing"),
        (None, "holdout trainval 1 all"),
    ],
)
def test_each_word_of_a_split(split, words):
    assert {split_of(f" {word} ") for word in words.split()} == {split}


@pytest.mark.parametrize(
    ("gender", "words"),
    [
        ("male", "M male Male MALE males man Men boy boys"),
        ("female", "f female FEMALE females Woman women girl Girls"),
        (None, "0 1 -1 2 u unknown human mal Frau true"),
    ],
)
def test_each_word_of_a_gender(gender, words):
    assert {gender_of(f" {word} ") for word in words.split()} == {gender}


def test_a_folder_of_one_letter_is_a_gender_only_where_folders_are_known_to_be():
    assert genders_in(["a", "f", "x"]) == set()
    assert genders_in(["a", "f", "Women"], letters=True) == {"female"}


def test_hugging_face_splits_by_the_same_words(tmp_path):
    for word in (*SPLIT_WORDS, "other"):
        (tmp_path / word).mkdir()
    assert set(SPLIT_WORDS.values()) == set(SPLITS)
    assert set(metadata_tables(tmp_path, "mirror")) == {
        "metadata.jsonl",
        *(f"{word}/metadata.jsonl" for word in SPLIT_WORDS),
    }


def test_the_words_stand_in_one_module():
    lists = re.compile('"(?:testing|woman|females)"')
    texts = {path.name: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert [name for name, text in texts.items() if lists.search(text)] == ["records.py"]
    assert {"man", "woman"} <= set(GENDER_WORDS)


def test_the_site_has_every_word():
    table = (PACKAGE.parent / "docs" / "how-to" / "datasets.md").read_text(encoding="utf-8")
    rows = {
        line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines() if line.startswith("| ")
    }
    for word, meaning in {**SPLIT_WORDS, **GENDER_WORDS}.items():
        assert f"`{word}`" in rows[meaning]
