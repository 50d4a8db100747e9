"""VGGFace2: 3.31 million images of 9,131 people, loosely cropped; gender by person.

``identity_meta.csv`` has a blank after each comma, and names that contain commas. Its gender is used instead
of ``attributes/01-Male.txt``, which contradicts it for 215 images.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import LabelTable, read_table
from maskgen.datasets.readers.root import find_label_files, holds_name, images, label_paths, sample_at
from maskgen.records import Sample, gender_of, split_of

META = "identity_meta.csv"
LABEL_FILES = (META, "train_list.txt", "test_list.txt")
PERSON = re.compile(r"n\d{6}")


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root; its folder is the identity."""
    letters = LabelTable[str](META)  # gender, "m" or "f", by person
    for path in find_label_files(root, (META,)).values():
        for _, row in read_table(path, ("Class_ID", "Gender")):
            letters.add(row["Class_ID"].strip(), row["Gender"].strip())
    for relative in images(root):
        folders = relative.split("/")[:-1]
        person = folders[-1] if folders else ""
        split = next((split for folder in folders if (split := split_of(folder))), None)
        letter = letters.find(person)
        labels = {"split": split, "identity": person or None, "gender": gender_of(letter or "")}
        if not labels["gender"]:
            unknown = f"its gender in {META} is {letter!r}"
            labels["note"] = letters.missing(person) if letter is None else unknown
        yield sample_at(root, relative, labels)


VGGFACE2 = FaceDataset(
    name="vggface2",
    title="VGGFace2",
    homepage="https://github.com/ox-vgg/vgg_face2",
    licence="For research, on the terms of its authors; the images belong to their original owners.",
    forbids=(
        "Its authors have withdrawn it from their pages; existing copies are bound by the terms "
        "that came with it."
    ),
    citation="Cao, Shen, Xie, Parkhi, Zisserman: VGGFace2: recognising faces across pose and age, FG 2018",
    expects=("train/n000002/0001_01.jpg ... and test/n000001/0001_01.jpg ...", "identity_meta.csv or meta/"),
    holds=lambda root: holds_name(root, (META,), PERSON),
    samples=samples,
    always={"gender": META, "split": "the folders train/ and test/ (or val/)"},
    annotations=lambda root: label_paths(root, LABEL_FILES),
)
