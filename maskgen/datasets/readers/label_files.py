"""Parse label files tolerantly: text, CSV and JSON.

Copies differ in line ends, byte order marks, counts and headers; all are accepted. A damaged row is counted,
and its image has no label. An unreadable file or a missing column ends the run.
"""

import csv
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from maskgen.errors import AnnotationError
from maskgen.files.text_files import read_text_file
from maskgen.limits import MAX_LABEL_BYTES

log = logging.getLogger("maskgen")

Row = TypeVar("Row")

# The line that Excel writes before a table; the delimiter depends on the country.
_DELIMITER_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?[^\S\r\n]*(?:\r\n|\r|\n)', re.IGNORECASE)


def _read_text(path: Path) -> str:
    """A label file as text of any encoding; `maskgen.limits.MAX_LABEL_BYTES` limits its size."""
    try:
        return read_text_file(path, MAX_LABEL_BYTES)
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise AnnotationError(f"{path}, {error}") from error


def read_lines(path: Path | None) -> list[str]:
    """The lines of a text file without line ends of any kind; none without a file."""
    return _read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n") if path else []


def read_table(
    path: Path, required: Sequence[str] = (), *, plain_tabs: bool = False, strict: bool = False
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row of a table whose first line names the columns.

    The first line also shows whether commas, tabs or semicolons separate the cells, or else a line ``sep=;``
    before it, as written by Excel. With ``plain_tabs``, tabs do, and a double quote is part of a cell. Rows
    with the wrong number of cells are skipped and counted in the log; ``strict`` raises for them.
    """
    text = _read_text(path)
    if named := _DELIMITER_LINE.match(text):
        delimiter, text = named[1], text[named.end() :]
    else:
        delimiter = "\t" if plain_tabs else max(",\t;", key=re.split(r"[\r\n]", text, maxsplit=1)[0].count)
    above = 1 if named else 0
    quoting: Any = csv.QUOTE_NONE if plain_tabs else csv.QUOTE_MINIMAL
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=not plain_tabs)
    damaged: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if lacking := [name for name in required if name not in header]:
            raise AnnotationError(f"{path}, line {1 + above}: expected a column {lacking[0]!r}, got {header}")
        for cells in filter(any, reader):
            while len(cells) > len(header) and not cells[-1].strip():
                cells.pop()
            line = reader.line_num + above
            if len(cells) == len(header):
                yield line, dict(zip(header, cells, strict=True))
                continue
            damaged.append(f"line {line}: expected {len(header)} cells, got {len(cells)}")
            if strict:
                raise AnnotationError(f"{path}, {damaged[0]}")
    except csv.Error as error:
        raise AnnotationError(f"{path}, line {reader.line_num + above}: {error}") from error
    if damaged:
        log.info("%s: %s damaged rows are left out, the first on %s", path.name, len(damaged), damaged[0])


def read_json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and object, without null values, of each line ("line 3") or row of one array ("row 3")."""
    lines = read_lines(path)
    rows: Iterator[tuple[str, Any]]
    if next(filter(str.strip, lines), "").lstrip().startswith("["):
        array = _parse_json("\n".join(lines), f"{path}: expected an array of JSON objects")
        rows = ((f"row {number}", row) for number, row in enumerate(array, 1))
    else:
        rows = (
            (f"line {number}", _parse_json(line, f"{path}, line {number}: expected a JSON object"))
            for number, line in enumerate(lines, 1)
            if line.strip()
        )
    for place, row in rows:
        if not isinstance(row, dict):
            raise AnnotationError(f"{path}, {place}: expected a JSON object, got a {type(row).__name__}")
        yield place, {name: value for name, value in row.items() if value is not None}


def _parse_json(text: str, expected: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{expected}: {error}") from error


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The values on which two rows for one image agree; ``note`` names the others."""
    differing = sorted(key for key in old.keys() & new.keys() - {"note"} if old[key] != new[key])
    row = {key: value for key, value in {**new, **old}.items() if key not in (*differing, "note")}
    notes = [old.get("note"), new.get("note")]
    notes.append(f"listed twice with different {', '.join(differing)}" if differing else None)
    if note := "; ".join(dict.fromkeys(filter(None, notes))):
        row["note"] = note
    return row


class LabelTable(Generic[Row]):
    """The rows of a label file by image; two different rows for one are merged by ``merge``, or not used."""

    def __init__(self, name: str, merge: Callable[[Row, Row], Row] | None = None) -> None:
        self.name, self._merge = name, merge  # the file's name, for notes and the log
        self._rows: dict[str, Row | None] = {}
        self._used: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, key: str, row: Row) -> None:
        """Add the row of one image."""
        old = self._rows.setdefault(key, row)
        if old is not None and old is not row and old != row:
            self._rows[key] = self._merge(old, row) if self._merge else None

    def find(self, key: str) -> Row | None:
        """The row of an image, or None; `missing` gives the reason."""
        if (row := self._rows.get(key)) is not None:
            self._used.add(key)
        return row

    def missing(self, key: str) -> str:
        """The reason why `find` has no row for an image, for the manifest."""
        if key in self._rows:
            self._used.add(key)
            return f"{self.name} has contradictory rows for it"
        return f"{self.name} has no row for it" if self._rows else f"{self.name} is missing or empty"

    def report(self) -> None:
        """Log the number of rows whose images were not asked for, if there are any."""
        if absent := len(self) - len(self._used):
            log.info(
                "%s: %s of %s rows name images that are not here", self.name, f"{absent:,}", f"{len(self):,}"
            )
