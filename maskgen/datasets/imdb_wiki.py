"""IMDB-WIKI: 523,051 face crops of celebrities with dates of birth and gender, labelled in Matlab files."""

import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import LabelTable
from maskgen.datasets.readers.mat_file import read_columns
from maskgen.datasets.readers.root import find_label_files, holds_name, images, label_paths, sample_at, tail
from maskgen.errors import AnnotationError
from maskgen.files.safe_paths import refuse_escape
from maskgen.records import Sample

LABEL_FILES = ("imdb.mat", "wiki.mat")
GENDERS = {0.0: "female", 1.0: "male"}
REQUIRED = ("full_path", "gender")
TEXTS = ("full_path", "name")
NUMBERS = ("gender", "dob", "photo_taken", "face_score", "second_face_score")


def _age(born: float, taken: float) -> int | None:
    """Age in full years in the middle of the year of the photograph, or None if it is impossible."""
    if not (math.isfinite(born) and math.isfinite(taken) and 366 < born < 800_000):
        return None
    birth = date.fromordinal(int(born) - 366)  # Matlab counts days from the year 0
    age = int(taken) - birth.year - (birth.month >= 7)
    return age if 0 <= age <= 100 else None


def _read_rows(path: Path) -> tuple[LabelTable[int], dict[str, list[Any]]]:
    """Row number by the last two parts of an image's path, and the columns of a Matlab file."""
    columns, rows = read_columns(path, path.stem, TEXTS, NUMBERS), LabelTable[int](path.name)
    if lacking := [name for name in REQUIRED if name not in columns]:
        raise AnnotationError(f"{path}: expected a field {lacking[0]!r} in {path.stem!r}")
    for row, text in enumerate(columns["full_path"]):
        rows.add(tail(refuse_escape(text or "", f"{path}, row {row + 1} of full_path")), row)
    return rows, columns


def _labels(cells: dict[str, Any], file: str) -> dict[str, Any]:
    gender = GENDERS.get(cells["gender"])
    labels = {"gender": gender, "identity": cells.get("name")}
    labels["age"] = _age(cells.get("dob", math.nan), cells.get("photo_taken", math.nan))
    for name in ("face_score", "second_face_score"):  # -inf where there is no face, NaN where no second
        labels[name] = cells[name] if math.isfinite(cells.get(name, math.nan)) else None
    return labels | {"note": None if gender else f"{file} does not say its gender"}


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root, by its folder and name in the Matlab files."""
    files = find_label_files(root, LABEL_FILES)
    tables = [_read_rows(path) for path in files.values()]
    for relative in images(root):
        matches = [
            _labels({name: column[row] for name, column in columns.items()}, rows.name)
            for rows, columns in tables
            if (row := rows.find(tail(relative))) is not None
        ]
        note = f"{'several rows' if matches else 'no row'} in {' or '.join(files or LABEL_FILES)}"
        yield sample_at(root, relative, matches[0] if len(matches) == 1 else {"note": note})
    for rows, _ in tables:
        rows.report()


IMDB_WIKI = FaceDataset(
    name="imdb-wiki",
    title="IMDB-WIKI",
    homepage="https://data.vision.ee.ethz.ch/cvl/rrothe/imdb-wiki/",
    licence="Academic research only; the images belong to their original owners.",
    forbids="Any use but academic research.",
    citation="Rothe, Timofte, Van Gool: Deep Expectation of Real and Apparent Age, IJCV 2018",
    expects=("imdb_crop/ or wiki_crop/ with imdb.mat or wiki.mat and the folders 00/ ... 99/",),
    holds=lambda root: holds_name(root, (*LABEL_FILES, "imdb_crop", "wiki_crop")),
    samples=samples,
    always={"gender": "imdb.mat or wiki.mat"},
    annotations=lambda root: label_paths(root, LABEL_FILES),
)
