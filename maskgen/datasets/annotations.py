"""Reads label files as real copies have them.

Line ends, byte order marks, counts and headers differ from copy to copy and are taken as they come. A
row that cannot be read costs its picture the label and is counted; a file that cannot be read, or
that lacks a column, ends the run with its name, the line and what was expected.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from maskgen.errors import AnnotationError
from maskgen.paths import contained

log = logging.getLogger("maskgen")

Row = TypeVar("Row")

_GENDERS = {"m": "male", "male": "male", "f": "female", "female": "female"}
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def gender_of(text: str) -> str | None:
    """Returns "male" or "female" where the text is that word or its first letter in any case, else None."""
    return _GENDERS.get(text.strip().lower())


def split_of(text: str) -> str | None:
    """The split in `maskgen.records.SPLITS` that a folder or cell of that name means, else None."""
    return _SPLITS.get(text.strip().lower())


def locate(root: Path, *names: str, folders: Sequence[str] = (".",)) -> Path | None:
    """The first of the files that is there, looking through the folders below ``root`` in turn."""
    for folder in folders:
        for name in names:
            relative = name if folder == "." else f"{folder}/{name}"
            if (root / relative).is_file():
                return root / contained(root, relative, "annotation file")
    return None


def present(root: Path, *names: str, folders: Sequence[str] = (".",)) -> list[Path]:
    """Those of the files that `locate` finds, relative to ``root``."""
    return [path.relative_to(root) for name in names if (path := locate(root, name, folders=folders))]


def read_text(path: Path) -> str:
    """A text file in UTF-8, with or without byte order mark, in UTF-16 with one, or else in Latin-1."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if (nul := text.find("\0")) >= 0:
        line = text.count("\n", 0, nul) + 1
        raise AnnotationError(f"{path}, line {line}: expected text, got a NUL byte; is the file damaged?")
    return text


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
    delimiter: str = ",",
    quoted: bool = True,
    strict: bool = False,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row of a table whose first line names the columns.

    Args:
        path: The file.
        required: Columns it must have.
        delimiter: What stands between cells.
        quoted: Whether cells may stand in double quotes.
        strict: Raise for a row with the wrong number of cells; otherwise such rows are left out
            and their number is logged.
    """
    reader = csv.reader(
        io.StringIO(read_text(path), newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        skipinitialspace=quoted,
    )
    damaged: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if lacking := [name for name in required if name not in header]:
            raise AnnotationError(f"{path}, line 1: expected a column {lacking[0]!r}, got {header}")
        for cells in reader:
            if not any(cells):
                continue
            while len(cells) > len(header) and not cells[-1].strip():
                cells.pop()
            if len(cells) == len(header):
                yield reader.line_num, dict(zip(header, cells, strict=True))
                continue
            damaged.append(f"line {reader.line_num}: expected {len(header)} cells, got {len(cells)}")
            if strict:
                raise AnnotationError(f"{path}, {damaged[0]}")
    except csv.Error as error:
        raise AnnotationError(f"{path}, line {reader.line_num}: {error}") from error
    if damaged:
        log.info("%s: %s damaged rows are left out, the first on %s", path.name, len(damaged), damaged[0])


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line that holds one, without the values that are null."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    for line, text in enumerate(read_lines(path), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text, parse_constant=refuse)
        except (ValueError, RecursionError) as error:
            raise AnnotationError(f"{path}, line {line}: expected a JSON object: {error}") from error
        if not isinstance(row, dict):
            raise AnnotationError(f"{path}, line {line}: expected a JSON object, got a {type(row).__name__}")
        yield line, {name: value for name, value in row.items() if value is not None}


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What two rows for one picture agree on; ``note`` names what they do not."""
    keys = (old.keys() | new.keys()) - {"note"}
    differing = sorted(key for key in keys if key in old and key in new and old[key] != new[key])
    row = {key: value for key, value in {**new, **old}.items() if key in keys and key not in differing}
    notes = [old.get("note"), new.get("note")]
    notes.append(f"listed twice with different {', '.join(differing)}" if differing else None)
    if note := "; ".join(dict.fromkeys(filter(None, notes))):
        row["note"] = note
    return row


class Annotations(Generic[Row]):
    """The rows of an annotation file by the picture they are about, and how many were asked for.

    Args:
        name: The file's name, for notes and the log.
        merge: Makes one row of two different ones for the same picture. Without it such rows
            contradict each other, and neither is used.
    """

    def __init__(self, name: str, merge: Callable[[Row, Row], Row] | None = None) -> None:
        self.name = name
        self._merge = merge
        self._rows: dict[str, Row | None] = {}
        self._used: set[str] = set()

    @property
    def count(self) -> int:
        """How many pictures have rows."""
        return len(self._rows)

    def add(self, key: str, row: Row) -> None:
        """Takes in the row for one picture."""
        old = self._rows.setdefault(key, row)
        if old is None or old is row or old == row:
            return
        self._rows[key] = self._merge(old, row) if self._merge else None

    def add_all(self, rows: list[tuple[str, Row]]) -> None:
        """Takes in the rows for many pictures, as `add` does one after the other."""
        if not self._rows:
            self._rows = dict(rows)
            if len(self._rows) == len(rows):
                return
            self._rows = {}
        for key, row in rows:
            self.add(key, row)

    def find(self, key: str) -> Row | None:
        """The row for a picture, or None: then `missing` says why."""
        row = self._rows.get(key)
        if row is not None:
            self._used.add(key)
        return row

    def missing(self, key: str) -> str:
        """Why `find` has no row for the picture, as a note for the manifest."""
        if key in self._rows:
            self._used.add(key)
            return f"{self.name} has contradictory rows for it"
        if not self._rows:
            return f"{self.name} is missing or empty"
        return f"{self.name} has no row for it"

    def report(self) -> None:
        """Logs how many rows name pictures that were not asked for, in one line; nothing if none do."""
        if absent := len(self._rows) - len(self._used):
            log.info(
                "%s: %s of %s rows name images that are not here", self.name, f"{absent:,}", f"{self.count:,}"
            )
