"""FairFace: 97,698 faces balanced over seven race groups, with age and gender.

Reads both paddings, and label files as published or after a spreadsheet changed them ("3-9" to "03-Sep").
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import LabelTable, merged, read_table
from maskgen.datasets.readers.root import find_label_files, holds_name, images, label_paths, sample_at, tail
from maskgen.files.safe_paths import refuse_escape
from maskgen.records import Sample, gender_of, split_of

# The published name and Kaggle's name.
LABEL_FILES = {
    "train": ("fairface_label_train.csv", "train_labels.csv"),
    "val": ("fairface_label_val.csv", "val_labels.csv"),
}
ALL_FILES = tuple(name for names in LABEL_FILES.values() for name in names)
AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
# Spreadsheets read 3-9 as a day of March or September and 10-19 as one of October, in English and German.
SPREADSHEET_AGES = (
    (re.compile(r"0?3[-. ]+sept?|sept?[-. ]+0?3|0?9[-. ]+(?:mar|mär|mrz)|(?:mar|mär|mrz)[-. ]+0?9"), "3-9"),
    (re.compile(r"19[-. ]+o[ck]t|o[ck]t[-. ]+19"), "10-19"),
)


def _attributes(row: dict[str, str], file: str) -> dict[str, Any]:
    cells = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    age = cells.get("age", "")
    for written, meant in SPREADSHEET_AGES:
        age = meant if written.fullmatch(age.lower()) else age
    checked = {"gender": gender_of(cells.get("gender", "")), "age": age if age in AGES else None}
    lacking = [name for name, value in checked.items() if value is None and name in row]
    note = "; ".join(f"its {name} in {file} is {cells.get(name, 'empty')}" for name in lacking) or None
    rest = {"service_test": cells["service_test"].lower() == "true"} if "service_test" in cells else {}
    return {**checked, "race": cells.get("race"), **rest, "note": note}


def _read_labels(files: Mapping[str, Path], names: tuple[str, ...]) -> LabelTable[dict[str, Any]]:
    """Attributes by the last two parts of the path; copies differ in the parts before."""
    path = next((files[name] for name in names if name in files), None)
    table = LabelTable[dict[str, Any]](path.name if path else names[0], merge=merged)
    for line, row in read_table(path, ("file", "gender")) if path else ():
        relative = refuse_escape(row["file"].strip(), f"{path}, line {line}")
        table.add(tail(relative), _attributes(row, table.name))
    return table


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root; its folder, train or val, is its split."""
    files = find_label_files(root, ALL_FILES)
    tables = {folder: _read_labels(files, names) for folder, names in LABEL_FILES.items()}
    for relative in images(root):
        key = tail(relative)
        folder = key.partition("/")[0]
        if folder not in tables:
            yield sample_at(root, relative, {"note": "it lies neither in train/ nor in val/"})
            continue
        labels = tables[folder].find(key) or {"note": tables[folder].missing(key)}
        yield sample_at(root, relative, {**labels, "split": split_of(folder)})
    for table in tables.values():
        table.report()


FAIRFACE = FaceDataset(
    name="fairface",
    title="FairFace",
    homepage="https://github.com/joojs/fairface",
    licence="CC BY 4.0.",
    forbids=(
        "Passing it on without naming its authors and saying what was changed: that its people wear "
        "drawn masks."
    ),
    citation="Karkkainen, Joo: FairFace, Face Attribute Dataset for Balanced Race, Gender, Age, WACV 2021",
    expects=("train/1.jpg ... and val/1.jpg ...", "fairface_label_train.csv and fairface_label_val.csv"),
    holds=lambda root: holds_name(root, (*ALL_FILES, *LABEL_FILES)),
    samples=samples,
    always={
        "gender": "fairface_label_*.csv, train_labels.csv, val_labels.csv",
        "split": "the folders train/ and val/",
    },
    annotations=lambda root: label_paths(root, ALL_FILES),
)
