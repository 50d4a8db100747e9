"""The adapters on real samples of the datasets, in the folder that MASKGEN_FACES names."""

import csv
import os
from collections import Counter
from pathlib import Path

import pytest

from maskgen.datasets import DATASETS

FACES = Path(os.environ.get("MASKGEN_FACES", ""))
pytestmark = pytest.mark.skipif("MASKGEN_FACES" not in os.environ, reason="MASKGEN_FACES is not set")


def samples_of(name):
    return list(DATASETS[name].samples(FACES / name))


@pytest.mark.parametrize(
    ("name", "count", "splits", "unlabelled"),
    [
        ("celeba", 100, {"train": 100}, 0),
        ("lfw", 104, {None: 104}, 0),
        ("adience", 42, {None: 42}, 0),
        ("utkface", 120, {None: 120}, 3),
        ("fairface", 219, {"train": 100, "validation": 119}, 0),
        ("widerface", 30, {"train": 21, "validation": 9}, 30),
    ],
)
def test_every_picture_is_listed_with_its_split(name, count, splits, unlabelled):
    samples = samples_of(name)
    assert len(samples) == count
    assert all(sample.path.is_file() for sample in samples)
    assert Counter(sample.split for sample in samples) == splits
    assert sum("gender" not in sample.attributes for sample in samples) == unlabelled


def test_celeba_against_its_files():
    root = FACES / "celeba"
    lines = (root / "list_attr_celeba.txt").read_text().split("\n")
    names = lines[1].split()
    rows = {cells[0]: cells[1:] for line in lines[2:] if (cells := line.split())}
    for sample in samples_of("celeba"):
        row = dict(zip(names, rows[sample.path.name], strict=True))
        assert {name: sample.attributes[name] for name in names} == {name: row[name] == "1" for name in names}
        assert sample.attributes["gender"] == ("male" if row["Male"] == "1" else "female")


def test_lfw_against_its_lists():
    lists = {g: set((FACES / f"lfw/{g}_names.txt").read_text().split()) for g in ("male", "female")}
    for sample in samples_of("lfw"):
        assert sample.path.name in lists[sample.attributes["gender"]]
        assert sample.identity == sample.path.parent.name


def test_utkface_leaves_names_with_three_fields_unlabelled():
    unlabelled = {s.path.name.split(".")[0] for s in samples_of("utkface") if "gender" not in s.attributes}
    assert unlabelled == {"39_1_20170116174525125", "61_1_20170109142408075", "61_1_20170109150557335"}


def test_fairface_against_its_files():
    rows = {}
    for name in ("fairface_label_train.csv", "fairface_label_val.csv"):
        with (FACES / "fairface" / name).open() as file:
            rows |= {row["file"]: row for row in csv.DictReader(file)}
    for sample in samples_of("fairface"):
        row = rows[sample.relative]
        assert sample.attributes["gender"] == row["gender"].lower()
        assert (sample.attributes["age"], sample.attributes["race"]) == (row["age"], row["race"])
