"""Reads label files as real copies have them.

Line ends, byte order marks, counts and headers differ from copy to copy and are taken as they come. A
row that cannot be read costs its image the label and is counted; a file that cannot be read, or
that lacks a column, ends the run with its name, the line and what was expected.
"""

from __future__ import annotations

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

# What Excel writes in front of a table; its delimiter depends on the country.
_DELIMITER_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?[^\S\r\n]*(?:\r\n|\r|\n)', re.IGNORECASE)
_FIRST_LINE = re.compile(r"\A[^\r\n]*")


def read_text(path: Path) -> str:
    """A label file as text, whatever its encoding; `maskgen.limits.MAX_LABEL_BYTES` limits its size."""
    try:
        return read_text_file(path, MAX_LABEL_BYTES)
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise AnnotationError(f"{path}, {error}") from error


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without their ends, whichever those are."""
    return with_line_feeds(read_text(path)).split("\n")


def with_line_feeds(text: str) -> str:
    """The text with line feeds for line ends of any kind."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_table(
    path: Path,
    required: Sequence[str] = (),
    *,
    delimiter: str | None = None,
    quoted: bool = True,
    strict: bool = False,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row of a table whose first line names the columns.

    A first line ``sep=;``, as Excel writes it, names the delimiter instead, and the second line the columns.

    Args:
        path: The file.
        required: Columns it must have.
        delimiter: What stands between cells; None takes the comma, tab or semicolon, by the first line.
        quoted: Whether cells may stand in double quotes.
        strict: Raise for a row with the wrong number of cells; otherwise such rows are left out
            and their number is logged.
    """
    text = read_text(path)
    if named := _DELIMITER_LINE.match(text):
        delimiter, text = named[1], text[named.end() :]
    elif delimiter is None:
        delimiter = max(",\t;", key=_FIRST_LINE.findall(text)[0].count)
    above = 1 if named else 0
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        skipinitialspace=quoted,
    )
    damaged: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if lacking := [name for name in required if name not in header]:
            raise AnnotationError(f"{path}, line {1 + above}: expected a column {lacking[0]!r}, got {header}")
        for cells in reader:
            if not any(cells):
                continue
            line = reader.line_num + above
            while len(cells) > len(header) and not cells[-1].strip():
                cells.pop()
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
    """Place ("line 3") and object of each row, without the values that are null.

    The file holds one object a line, or one array of objects ("row 3").
    """
    text = read_text(path)
    if text.lstrip().startswith("["):
        rows = _parse_json(text, f"{path}: expected an array of JSON objects")
        places: Iterator[tuple[str, Any]] = ((f"row {number}", row) for number, row in enumerate(rows, 1))
    else:
        lines = ((f"line {number}", line) for number, line in enumerate(with_line_feeds(text).split("\n"), 1))
        places = (
            (place, _parse_json(line, f"{path}, {place}: expected a JSON object"))
            for place, line in lines
            if line.strip()
        )
    for place, row in places:
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
    """What two rows for one image agree on; ``note`` names what they do not."""
    keys = (old.keys() | new.keys()) - {"note"}
    differing = sorted(key for key in keys if key in old and key in new and old[key] != new[key])
    row = {key: value for key, value in {**new, **old}.items() if key in keys and key not in differing}
    notes = [old.get("note"), new.get("note")]
    notes.append(f"listed twice with different {', '.join(differing)}" if differing else None)
    if note := "; ".join(dict.fromkeys(filter(None, notes))):
        row["note"] = note
    return row


class Annotations(Generic[Row]):
    """The rows of an annotation file by the image they are about, and how many were asked for.

    Args:
        name: The file's name, for notes and the log.
        merge: Makes one row of two different ones for the same image. Without it such rows
            contradict each other, and neither is used.
    """

    def __init__(self, name: str, merge: Callable[[Row, Row], Row] | None = None) -> None:
        self.name = name
        self._merge = merge
        self._rows: dict[str, Row | None] = {}
        self._used: set[str] = set()

    @property
    def count(self) -> int:
        """How many images have rows."""
        return len(self._rows)

    def add(self, key: str, row: Row) -> None:
        """Takes in the row for one image."""
        old = self._rows.setdefault(key, row)
        if old is None or old is row or old == row:
            return
        self._rows[key] = self._merge(old, row) if self._merge else None

    def add_all(self, rows: list[tuple[str, Row]]) -> None:
        """Takes in the rows for many images, as `add` does one after the other."""
        if not self._rows:
            self._rows = dict(rows)
            if len(self._rows) == len(rows):
                return
            self._rows = {}
        for key, row in rows:
            self.add(key, row)

    def find(self, key: str) -> Row | None:
        """The row for an image, or None: then `missing` says why."""
        row = self._rows.get(key)
        if row is not None:
            self._used.add(key)
        return row

    def missing(self, key: str) -> str:
        """Why `find` has no row for the image, as a note for the manifest."""
        if key in self._rows:
            self._used.add(key)
            return f"{self.name} has contradictory rows for it"
        if not self._rows:
            return f"{self.name} is missing or empty"
        return f"{self.name} has no row for it"

    def report(self) -> None:
        """Logs how many rows name images that were not asked for, in one line; nothing if none do."""
        if absent := len(self._rows) - len(self._used):
            log.info(
                "%s: %s of %s rows name images that are not here", self.name, f"{absent:,}", f"{self.count:,}"
            )
