"""Images listed in a table (CSV, tab-separated, JSON lines or a JSON array) with a column for the path.

Paths are relative to the table's folder, or to ``--image-root``; below the image root they may be absolute.
The columns split, identity, gender and note, in any case, have their own meaning; all others become
attributes. A column named male or female may hold 1 or 0. A missing file is still a sample.
"""

import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import merged, read_json_rows, read_table
from maskgen.datasets.readers.root import sample_at
from maskgen.errors import AnnotationError, MissingDataError, UsageError
from maskgen.files.json_text import fitting
from maskgen.files.remote import is_remote
from maskgen.files.safe_paths import contained, refuse_escape
from maskgen.files.system_files import is_system_name
from maskgen.records import GENDER_WORDS, SPLIT_WORDS, Sample, gender_of, split_of

log = logging.getLogger("maskgen")

NAMES = tuple(f"{stem}.{suffix}" for stem in ("table", "metadata") for suffix in ("csv", "tsv", "jsonl"))
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
SUFFIXES = (".csv", ".tsv", *JSON_SUFFIXES)
PATH_COLUMNS = ("path", "file_name", "filename", "file", "image_path", "image", "img")
# Cells of a column named male or female; -1 as in CelebA's lists.
TRUTH = {**dict.fromkeys(("1", "true", "yes"), True), **dict.fromkeys(("0", "-1", "false", "no"), False)}
_OTHER = {"male": "female", "female": "male"}
_NUMBER = re.compile(r"[+-]?\d+(?:\.0*)?")


def find_table(root: Path) -> Path | None:
    """The table of a root: the file itself, a file of a usual name, or the only table in the folder."""
    if not root.is_dir():
        return root if root.is_file() else None
    files = [path for path in root.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
    tables = [path.name for path in files if not is_system_name(path.name)]
    usual = [name for name in NAMES if name in tables]
    return root / contained(root, (usual or tables)[0], "table") if usual or len(tables) == 1 else None


def _pop_text(row: dict[str, Any], names: tuple[str, ...], where: str) -> str | None:
    """Remove the first of some columns from a row and return its text."""
    in_any_case = {name.lower(): name for name in reversed(row)}
    for name in names:
        if name in in_any_case:
            value = row.pop(in_any_case[name])
            if isinstance(value, (list, dict)):
                expected = f"{where}: expected as {name} a text or number"
                raise AnnotationError(f"{expected}, got a {type(value).__name__}")
            return str(value)
    return None


def _pop_path(row: dict[str, Any], folder: Path, image_root: Path | None, where: str) -> str:
    """The path of a row, relative to the image root, or else to the table's folder."""
    if (text := _pop_text(row, PATH_COLUMNS, where)) is None:
        columns = ", ".join(PATH_COLUMNS)
        raise AnnotationError(f"{where}: expected one of the columns {columns}; got {list(row)}")
    root = image_root or folder
    try:
        relative = refuse_escape(_below(text, folder, image_root), where)
        if "\\" in relative and not os.path.exists(root / relative):  # noqa: PTH110
            relative = relative.replace("\\", "/")
        return contained(root, "/".join(part for part in relative.split("/") if part not in ("", ".")), where)
    except AnnotationError as error:
        hint = f"it is not below {root}," if image_root else "give the folder that holds the images with"
        raise AnnotationError(f"{error}; {hint} --image-root") from error


def _below(text: str, folder: Path, image_root: Path | None) -> str:
    """Make a path relative to the image root if it is absolute or leaves the table's folder by ``..``."""
    if image_root is None or is_remote(image_root) or "\0" in text:
        return text
    if ".." not in text.replace("\\", "/").split("/") and not Path(text).is_absolute():
        return text
    # `Path.resolve` would follow the links below the image root.
    whole = os.path.abspath(folder / text)  # noqa: PTH100
    for above in (os.path.abspath(image_root), os.path.realpath(image_root)):  # noqa: PTH100
        if whole.startswith(f"{above.rstrip(os.sep)}{os.sep}"):
            return os.path.relpath(whole, above)
    return text


def _pop_gender(row: dict[str, Any], where: str) -> tuple[str | None, str | None]:
    """Gender, and a note if the row's gender is not a known word."""
    if text := _pop_text(row, ("gender", "sex"), where):
        if _NUMBER.fullmatch(text):
            remedy = "write male or female, or name the column male (1 is male) or female (1 is female)"
            raise AnnotationError(f"{where}: the gender {text} can mean either; {remedy}")
        return gender_of(text), None if gender_of(text) else f"its gender in the table is {text!r}"
    for name, value in row.items():
        column = name.lower().removeprefix("is_")
        if column in _OTHER and (cell := str(value).strip().lower()) in TRUTH:
            return column if TRUTH[cell] else _OTHER[column], None
    return None, None


def _labels(row: dict[str, Any], where: str) -> dict[str, Any]:
    """The row with normalised split, identity, gender and note."""
    split, (gender, gender_note) = _pop_text(row, ("split",), where), _pop_gender(row, where)
    if split and split_of(split) is None:
        raise AnnotationError(f"{where}: expected the split train, validation or test, got {split!r}")
    identity, note = _pop_text(row, ("identity", "person"), where), _pop_text(row, ("note",), where)
    labels = {"split": split_of(split or ""), "identity": identity, "gender": gender}
    labels["note"] = gender_note or note
    row |= {name: value for name, value in labels.items() if value is not None}
    try:
        # Deeply nested values can neither be written as JSON nor be sent to a worker process.
        row = {name: fitting(value) for name, value in row.items()}
        json.dumps(row, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise AnnotationError(f"{where}: expected values that can be written down, got {error}") from error
    return row


def samples(root: Path, image_root: Path | None = None) -> Iterator[Sample]:
    """Every listed image once; values on which two rows for it disagree are dropped and noted."""
    if (path := find_table(root)) is None:
        names = " or ".join(NAMES)
        raise MissingDataError(f"{root}: expected a table, or a folder with {names} or one table")
    if path.suffix.lower() in JSON_SUFFIXES:
        rows = read_json_rows(path)
    else:
        table = read_table(path, strict=True)
        rows = ((f"line {line}", {name: cell for name, cell in row.items() if cell}) for line, row in table)
    images: dict[str, dict[str, Any]] = {}
    for place, row in rows:
        where = f"{path}, {place}"
        relative = _pop_path(row, path.parent, image_root, where)
        labels = _labels(row, where)
        images[relative] = merged(images[relative], labels) if relative in images else labels
    folder = image_root or path.parent
    if images and not any((folder / relative).exists() for relative in islice(images, 10)):
        log.warning("%s: its images are not in %s; give their folder with --image-root", path.name, folder)
    for relative in sorted(images, key=os.fsencode):
        yield sample_at(folder, relative, images[relative])


def with_image_root(dataset: FaceDataset, image_root: Path | None) -> FaceDataset:
    """The table dataset with its images in another folder, which must exist; None changes nothing."""
    if image_root is None:
        return dataset
    if dataset.name != TABLE.name:
        raise UsageError(
            f"--image-root is for --dataset table; the images of {dataset.name} lie below --root"
        )
    if not image_root.is_dir():
        raise MissingDataError(f"--image-root {image_root}: there is no such folder")
    with_images = partial(samples, image_root=image_root)
    return replace(dataset, samples=with_images, files=lambda root: (root, image_root))


TABLE = FaceDataset(
    name="table",
    title="Images listed in a table",
    licence="The terms of the images' authors.",
    expects=(
        f"a .csv, .tsv or .jsonl file with a column {', '.join(PATH_COLUMNS[:-1])} or {PATH_COLUMNS[-1]}",
        f"as gender {', '.join(GENDER_WORDS)}, or a column male or female with 1 or 0",
        f"as split {', '.join(SPLIT_WORDS)}",
    ),
    holds=lambda root: find_table(root) is not None,
    samples=samples,
    annotations=lambda root: [Path(path.name)] if (path := find_table(root)) else [],
)
