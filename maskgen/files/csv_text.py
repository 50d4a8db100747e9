"""CSV text without spreadsheet formulas (CSV injection).

Spreadsheets run a cell that begins with ``=``, ``+``, ``-`` or ``@`` (also full-width), even after blanks, a
tab or a line end. `safe_cell` puts an apostrophe, their mark for text, before such a text, also if it already
begins with apostrophes; numbers stay unchanged. `plain_cell` removes the apostrophe.
"""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import Any, TextIO

_FORMULA = r"(?:[\t\r\n]|[\s\x00-\x1f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
_STARTS, _QUOTED = re.compile(f"'*{_FORMULA}"), re.compile(f"''*{_FORMULA}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf)")


def safe_cell(value: Any) -> Any:
    """The value, with an apostrophe before a text that a spreadsheet might run."""
    if isinstance(value, str) and _STARTS.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def plain_cell(text: str) -> str:
    """The original text of a cell from `safe_cell`."""
    return text[1:] if _QUOTED.match(text) else text


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV with `safe_cell` for each cell; lines end with a newline alone."""
    text = StringIO()
    write_row = row_writer(text)
    for row in (head, *rows):
        write_row(row)
    return text.getvalue()


def row_writer(file: TextIO) -> Callable[[Iterable[Any]], None]:
    """A function that writes one row of `safe_cell` cells into a file opened with ``newline=""``."""
    plain = csv.writer(file, lineterminator="\n")
    # Older csv modules leave "\r" unquoted if lines end with "\n"; readers then end the row there.
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write_row(row: Iterable[Any]) -> None:
        cells = [safe_cell(cell) for cell in row]
        (quoted if any(isinstance(cell, str) and "\r" in cell for cell in cells) else plain).writerow(cells)

    return write_row
