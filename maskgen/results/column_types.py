"""One type for each column of a table that is made from JSON values."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

# Readers infer types from the beginning of a table: Hugging Face from 10 MB, of rows below 10 KB.
_FIRST_LINES = 1_000


def type_of(value: Any) -> str:
    """The type of one value: "truth", "whole" (64 bits), "number" or "text", which holds everything else."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        return "whole" if -(2**63) <= value < 2**63 else "text"
    return "number" if isinstance(value, float) else "text"


def common_type(types: Collection[str]) -> str:
    """The type that can hold values of all these types."""
    if len(types) == 1:
        return next(iter(types))
    return "number" if set(types) == {"whole", "number"} else "text"


def as_text(value: Any) -> str:
    """A text as it is, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass
class _Beginning:
    lines: int = 0
    columns: set[str] = field(default_factory=set)


class StableColumns:
    """The types of the columns of several tables that a reader joins, such as one for each split.

    First `add` every line, then `settle` every line. A column without any value stays null.
    """

    def __init__(self) -> None:
        self._types: dict[str, set[str]] = {}
        self._beginnings: dict[Any, _Beginning] = {}

    def add(self, table: Any, values: Mapping[str, Any]) -> None:
        """Count one line of a table."""
        beginning = self._beginnings.setdefault(table, _Beginning())
        beginning.lines += 1
        there = {name: value for name, value in values.items() if value is not None}
        for name, value in there.items():
            self._types.setdefault(name, set()).add(type_of(value))
        if beginning.lines <= _FIRST_LINES:
            beginning.columns.update(there)

    def settle(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The line, each value of its column's type.

        A column that a reader would take for one of nulls at the beginning of any table becomes text, empty
        where a value is missing.
        """
        return {name: self._settled(name, value) for name, value in values.items()}

    def _settled(self, name: str, value: Any) -> Any:
        types = self._types.get(name)
        if types is None:
            return None
        seen = all(name in beginning.columns for beginning in self._beginnings.values())
        kind = common_type(types) if seen else "text"
        if value is None:
            return None if seen else ""
        if kind == "text":
            return as_text(value)
        return float(value) if kind == "number" else value
