"""Labeled Faces in the Wild: 13,233 images of 5,749 people, plain, funneled or deep-funneled.

LFW has no gender. It comes from the lists of the University of Massachusetts (one file name a line), or else
from Kumar's ``lfw_attributes.txt``. The splits are those of view 1.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import LabelTable, read_lines
from maskgen.datasets.readers.root import find_label_files, holds_name, images, label_paths, sample_at
from maskgen.errors import AnnotationError
from maskgen.records import Sample

VARIANTS = ("lfw", "lfw_funneled", "lfw-funneled", "lfw-deepfunneled", "lfw_deepfunneled")
PARTS = (("Train", "train"), ("Test", "test"))
GENDER_LISTS = {"male_names.txt": "male", "female_names.txt": "female"}
# Published names and Kaggle's; lists of people first, because pairs name only some of them.
SPLIT_LISTS = tuple(
    {f"{stem}Dev{part}.{end}": split for stem in stems for part, split in PARTS for end in ("txt", "csv")}
    for stems in (("people",), ("pairs", "matchpairs", "mismatchpairs"))
)
OTHER_LISTS = (
    *("lfw_attributes.txt", "lfw-names.txt", "people.txt", "pairs.txt"),
    *("lfw_allnames.csv", "people.csv", "pairs.csv"),
)
LABEL_FILES = (*GENDER_LISTS, *SPLIT_LISTS[0], *SPLIT_LISTS[1], *OTHER_LISTS)
# A column's name in Kaggle's lists, a count, or a number of an image.
_NO_PERSON = re.compile(r"name|images|imagenum\d|\d*")


def _read_genders(files: Mapping[str, Path]) -> LabelTable[str]:
    """Gender by the image's name without ``.jpg``."""
    table = LabelTable[str]("male_names.txt, female_names.txt")
    for name, gender in GENDER_LISTS.items():
        for line in read_lines(files.get(name)):
            if name_stem := line.strip().partition(".jpg")[0]:
                table.add(name_stem, gender)
    path = files.get("lfw_attributes.txt")
    return table if table or path is None else _read_scores(path)


def _read_scores(path: Path) -> LabelTable[str]:
    """Gender by the sign of Kumar's score, from the columns ``person``, ``imagenum`` and ``Male``."""
    table = LabelTable[str](path.name)
    header: list[str] = []
    for number, line in enumerate(read_lines(path), 1):
        cells = line.lstrip("#").strip().split("\t")
        if not header and {"person", "imagenum", "Male"} <= set(cells):
            header = cells
        elif header and len(cells) > 1:
            row = dict(zip(header, cells, strict=False))
            try:
                name_stem = f"{row['person'].strip().replace(' ', '_')}_{int(row['imagenum']):04d}"
                table.add(name_stem, "male" if float(row["Male"]) > 0 else "female")
            except (KeyError, ValueError) as error:
                expected = f"{path}, line {number}: expected a person, a number and scores"
                raise AnnotationError(f"{expected}, got {line[:80]!r}") from error
    if not header:
        raise AnnotationError(f"{path}: expected a line that names the columns person, imagenum and Male")
    return table


def _read_splits(files: Mapping[str, Path]) -> LabelTable[str]:
    """Split by person, from the lists of people, or else from the pairs."""
    table = LabelTable[str]("view 1")
    for lists in SPLIT_LISTS:
        for name, split in lists.items():
            for line in read_lines(files.get(name)):
                for word in re.split(r"[\s,;]+", line):
                    if not _NO_PERSON.fullmatch(word):
                        table.add(word, split)
        if table:
            break
    return table


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root; its folder is the identity."""
    files = find_label_files(root, LABEL_FILES)
    genders, splits = _read_genders(files), _read_splits(files)
    for relative in images(root):
        *folders, name = relative.split("/")
        identity = folders[-1] if folders else None
        name_stem = name.partition(".")[0]
        gender, split = genders.find(name_stem), splits.find(identity or "")
        note = None if gender else genders.missing(name_stem)
        yield sample_at(
            root, relative, {"split": split, "identity": identity, "gender": gender, "note": note}
        )
    genders.report()


LFW = FaceDataset(
    name="lfw",
    title="Labeled Faces in the Wild",
    homepage="https://vis-www.cs.umass.edu/lfw/",
    licence="Published for research without a licence; the news photographs belong to their agencies.",
    forbids=(
        "No terms are stated. Its authors warn against concluding from it that a program is fit for "
        "commercial use, or works for groups of people that it hardly shows."
    ),
    citation="Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, UMass Amherst TR 07-49, 2007",
    expects=(
        "lfw/, lfw_funneled/ or lfw-deepfunneled/ with Aaron_Eckhart/Aaron_Eckhart_0001.jpg ...",
        "male_names.txt and female_names.txt, or lfw_attributes.txt, for the gender",
        "peopleDevTrain.txt and peopleDevTest.txt for the splits",
    ),
    holds=lambda root: holds_name(root, VARIANTS) or any(root.glob("A*_*/A*_*_0001.*")),
    samples=samples,
    always={
        "gender": "male_names.txt and female_names.txt, or lfw_attributes.txt",
        "split": "peopleDevTrain.txt and peopleDevTest.txt (or .csv, or the pairs of these names)",
    },
    annotations=lambda root: label_paths(root, LABEL_FILES),
)
