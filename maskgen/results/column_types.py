"""Find one type for each column of a table of JSON values."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
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


class StableColumns:
    """The column types of tables that a reader joins, such as one a split: `add` all lines, then `settle`."""

    def __init__(self) -> None:
        self._types: dict[str, set[str]] = defaultdict(set)
        self._lines: Counter[Any] = Counter()
        self._early_columns: dict[Any, set[str]] = defaultdict(set)

    def add(self, table: Any, values: Mapping[str, Any]) -> None:
        """Note the types of one line of a table."""
        self._lines[table] += 1
        for name, value in values.items():
            if value is not None:
                self._types[name].add(type_of(value))
                if self._lines[table] <= _FIRST_LINES:
                    self._early_columns[table].add(name)

    def settle(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Convert the values of a line to the types of their columns.

        A column that has only nulls in the first lines of any table becomes text, with empty missing values.
        A column without any value stays null.
        """
        return {name: self._convert(name, value) for name, value in values.items()}

    def _convert(self, name: str, value: Any) -> Any:
        if name not in self._types:
            return None
        typed_early = all(name in self._early_columns[table] for table in self._lines)
        kind = common_type(self._types[name]) if typed_early else "text"
        if value is None:
            return None if typed_early else ""
        return as_text(value) if kind == "text" else float(value) if kind == "number" else value
