"""Pictures listed in a table: CSV, tab-separated, or JSON lines, with a column for the path.

Paths are relative to the table's folder. Columns named split, identity, gender and note are taken as such,
in any case; all others become attributes. A file that is listed but not there is still a sample: whoever
reads it reports it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskgen.datasets.annotations import (
    gender_of,
    locate,
    merged,
    read_json_lines,
    read_lines,
    read_table,
    split_of,
)
from maskgen.datasets.dataset import FaceDataset
from maskgen.datasets.walk import sample_at
from maskgen.errors import AnnotationError, MissingDataError
from maskgen.paths import contained, refuse_escape
from maskgen.records import Sample
from maskgen.system_files import is_system_name

NAMES = tuple(f"{stem}.{suffix}" for stem in ("table", "metadata") for suffix in ("csv", "tsv", "jsonl"))
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
PATH_COLUMNS = ("path", "file_name", "filename", "file", "image_path", "image", "img")


def find_table(root: Path) -> Path | None:
    """The table that a root names or holds: itself, a usual name, or the only such file in the folder."""
    if not root.is_dir():
        return root if root.is_file() else None
    if path := locate(root, *NAMES):
        return path
    names = [path.name for path in root.iterdir() if path.suffix.lower() in (".csv", ".tsv", *JSON_SUFFIXES)]
    names = [name for name in names if not is_system_name(name)]
    return locate(root, *names) if len(names) == 1 else None


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and cells of each row; empty cells are left out."""
    if path.suffix.lower() in JSON_SUFFIXES:
        yield from read_json_lines(path)
        return
    delimiter = max(",\t;", key=read_lines(path)[0].count)
    for line, cells in read_table(path, delimiter=delimiter, strict=True):
        yield line, {name: cell for name, cell in cells.items() if cell != ""}


def _take(row: dict[str, Any], names: tuple[str, ...], where: str) -> str | None:
    """Removes the first of these columns from the row and gives its text."""
    in_any_case = {name.lower(): name for name in reversed(row)}
    for name in names:
        if name in in_any_case:
            value = row.pop(in_any_case[name])
            if isinstance(value, (list, dict)):
                raise AnnotationError(
                    f"{where}: expected as {name} a text or number, got a {type(value).__name__}"
                )
            return str(value)
    return None


def _picture(root: Path, row: dict[str, Any], where: str) -> str:
    """The path below the root that a row names."""
    if (text := _take(row, PATH_COLUMNS, where)) is None:
        raise AnnotationError(
            f"{where}: expected one of the columns {', '.join(PATH_COLUMNS)}; got {list(row)}"
        )
    relative = refuse_escape(text, where)
    if "\\" in relative and not os.path.exists(root / relative):  # noqa: PTH110
        relative = relative.replace("\\", "/")
    return contained(root, "/".join(part for part in relative.split("/") if part not in ("", ".")), where)


def _facts(row: dict[str, Any], where: str) -> dict[str, Any]:
    """The row with split, identity and gender under these names and in our words."""
    split, gender = _take(row, ("split",), where), _take(row, ("gender", "sex"), where)
    identity, note = _take(row, ("identity", "person"), where), _take(row, ("note",), where)
    if split and split_of(split) is None:
        raise AnnotationError(f"{where}: expected the split train, validation or test, got {split!r}")
    if gender and gender_of(gender) is None:
        note = f"its gender in the table is {gender!r}"
    known = {"split": split_of(split or ""), "identity": identity, "gender": gender_of(gender or "")}
    row |= {name: value for name, value in {**known, "note": note}.items() if value is not None}
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise AnnotationError(f"{where}: expected values that can be written down, got {error}") from error
    return row


def samples(root: Path) -> Iterator[Sample]:
    """Every picture the table lists, once; what two rows for it do not agree on is left out and noted."""
    path = find_table(root)
    if path is None:
        raise MissingDataError(
            f"{root}: expected a table, or a folder with {' or '.join(NAMES)} or one table"
        )
    pictures: dict[str, dict[str, Any]] = {}
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        relative = _picture(path.parent, row, where)
        known = _facts(row, where)
        pictures[relative] = merged(pictures[relative], known) if relative in pictures else known
    for relative in sorted(pictures, key=os.fsencode):
        yield sample_at(path.parent, relative, pictures[relative])


TABLE = FaceDataset(
    name="table",
    title="Pictures listed in a table",
    homepage="",
    licence="The terms of whoever made the pictures.",
    citation="",
    expects=(
        f"a .csv, .tsv or .jsonl file with a column {', '.join(PATH_COLUMNS[:-1])} or {PATH_COLUMNS[-1]}",
    ),
    holds=lambda root: find_table(root) is not None,
    samples=samples,
    annotations=lambda root: [Path(path.name)] if (path := find_table(root)) else [],
)
