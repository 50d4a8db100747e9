"""FairFace: 97,698 faces balanced over seven race groups, with age and gender.

Read at either padding, with the label files as published or as a spreadsheet left them ("3-9" saved
as "03-Sep").
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskgen.datasets.annotations import Annotations, gender_of, locate, merged, present, read_table, split_of
from maskgen.datasets.dataset import FaceDataset
from maskgen.datasets.walk import images, sample_at, tail
from maskgen.paths import refuse_escape
from maskgen.records import Sample

LABEL_FILES = {"train": "fairface_label_train.csv", "val": "fairface_label_val.csv"}
AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
SPREADSHEET_AGES = {
    **dict.fromkeys(("03-Sep", "3-Sep", "09-Mar", "9-Mar", "Mar-09"), "3-9"),
    **dict.fromkeys(("Oct-19", "19-Oct"), "10-19"),
}


def _attributes(row: dict[str, str], file: str) -> dict[str, Any]:
    cells = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    age = cells.get("age", "")
    age = SPREADSHEET_AGES.get(age, age)
    known: dict[str, Any] = {"gender": gender_of(cells.get("gender", ""))}
    known["age"] = age if age in AGES else None
    notes = [
        f"its {name} in {file} is {cells.get(name, 'empty')}"
        for name in known
        if known[name] is None and name in row
    ]
    known["race"] = cells.get("race")
    if "service_test" in cells:
        known["service_test"] = cells["service_test"].lower() == "true"
    known["note"] = "; ".join(notes) or None
    return known


def _rows(root: Path, file: str) -> Annotations[dict[str, Any]]:
    """Attributes by the last two parts of the path: copies differ in what comes before."""
    table = Annotations[dict[str, Any]](file, merge=merged)
    path = locate(root, file)
    for line, row in read_table(path, ("file", "gender")) if path else ():
        picture = refuse_escape(row["file"].strip(), f"{path}, line {line}")
        table.add(tail(picture), _attributes(row, file))
    return table


def samples(root: Path) -> Iterator[Sample]:
    """Every picture below the root; the folder it lies in, train or val, is its split."""
    tables = {folder: _rows(root, file) for folder, file in LABEL_FILES.items()}
    for relative in images(root):
        key = tail(relative)
        folder = key.partition("/")[0]
        if folder not in tables:
            yield sample_at(root, relative, {"note": "it lies neither in train/ nor in val/"})
            continue
        known = tables[folder].find(key) or {"note": tables[folder].missing(key)}
        yield sample_at(root, relative, known, split=split_of(folder))
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
    holds=lambda root: (
        bool(locate(root, *LABEL_FILES.values())) or any((root / name).is_dir() for name in LABEL_FILES)
    ),
    samples=samples,
    annotations=lambda root: present(root, *LABEL_FILES.values()),
)
