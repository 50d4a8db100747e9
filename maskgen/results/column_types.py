"""Find one type for each column of a table of JSON values."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

# Readers infer types from the first lines of a table: Hugging Face from 10 MB, of rows below 10 KB.
_FIRST_LINES = 1_000


def type_of(value: Any) -> str:
    """The type of a value: "truth", "whole" (64 bits), "number", or "text" for everything else."""
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
    """Text unchanged, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass
class _Beginning:
    lines: int = 0
    columns: set[str] = field(default_factory=set)


class StableColumns:
    """The column types of several tables that a reader joins, such as one for each split.

    `add` every line first, then `settle` every line. A column without any value stays null.
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
        """Convert the values of a line to the types of their columns.

        A column that has only nulls in the first lines of any table becomes text, with empty missing values.
        """
        return {name: self._convert(name, value) for name, value in values.items()}

    def _convert(self, name: str, value: Any) -> Any:
        types = self._types.get(name)
        if types is None:
            return None
        typed_early = all(name in beginning.columns for beginning in self._beginnings.values())
        kind = common_type(types) if typed_early else "text"
        if value is None:
            return None if typed_early else ""
        if kind == "text":
            return as_text(value)
        return float(value) if kind == "number" else value
