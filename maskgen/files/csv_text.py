"""CSV that a spreadsheet opens without starting a formula.

A program such as Excel runs a cell that begins with ``=``, ``+``, ``-`` or ``@`` (full-width ones too), even
behind blanks, a tab or an end of line, and file names and labels are other people's texts. So such a text
gets an apostrophe in front, which spreadsheets take for "this is text"; a text that begins with apostrophes
and then so gets one more. Numbers stay as they are, negative ones too. `plain_cell` takes it off again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import Any, TextIO

_FORMULA = r"(?:[\t\r\n]|[\s\x00-\x1f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
_STARTS, _QUOTED = re.compile(f"'*{_FORMULA}"), re.compile(f"''*{_FORMULA}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf)")


def safe_cell(value: Any) -> Any:
    """The value, with an apostrophe in front of a text that a spreadsheet might run."""
    if isinstance(value, str) and _STARTS.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def plain_cell(text: str) -> str:
    """The text that `safe_cell` made this one of."""
    return text[1:] if _QUOTED.match(text) else text


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV, each of its cells by `safe_cell`; lines end with a newline alone."""
    text = StringIO()
    write_row = row_writer(text)
    for row in (head, *rows):
        write_row(row)
    return text.getvalue()


def row_writer(file: TextIO) -> Callable[[Iterable[Any]], None]:
    """A function that writes one row of CSV into ``file``, each of its cells by `safe_cell`.

    Args:
        file: Opened with ``newline=""``.
    """
    plain = csv.writer(file, lineterminator="\n")
    # Older versions of the module leave a "\r" unquoted where lines end with "\n": readers end a row there.
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write_row(row: Iterable[Any]) -> None:
        cells = [safe_cell(cell) for cell in row]
        (quoted if any(isinstance(cell, str) and "\r" in cell for cell in cells) else plain).writerow(cells)

    return write_row
