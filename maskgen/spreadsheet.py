"""CSV that a spreadsheet opens without starting a formula.

A program such as Excel runs a cell that begins with ``=``, ``+``, ``-`` or ``@``, even behind a tab or an
end of line, and file names and labels are other people's texts. So such a text gets an apostrophe in front,
which spreadsheets take for "this is text"; a text that begins with apostrophes and then so gets one more.
Numbers stay as they are, negative ones too. `plain_cell` takes it off again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

_STARTS = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_QUOTED = re.compile(r"''*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
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
    writer = csv.writer(text, lineterminator="\n")
    # Of the ends of a line, older versions of the module quote only the one that it writes itself.
    careful = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in (head, *rows):
        cells = [safe_cell(cell) for cell in row]
        (careful if any(isinstance(cell, str) and "\r" in cell for cell in cells) else writer).writerow(cells)
    return text.getvalue()
