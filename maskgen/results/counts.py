"""Counts of rows by status, label and split, for a shard or a whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from maskgen.records import ManifestRow

_NUMBERS, _TABLES = ("samples", "rows", "images", "unlabelled", "shards"), ("statuses", "labels", "splits")


@dataclass(frozen=True)
class Counts:
    """Counts of samples and rows."""

    samples: int = 0
    rows: int = 0  # of the manifest: samples times variants
    images: int = 0  # masked images written
    statuses: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)  # rows without one under "none"
    unlabelled: int = 0  # rows without a label in a run with --label
    shards: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Counts:
        """The counts of `as_dict`'s values."""
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return asdict(self)

    @classmethod
    def total(cls, parts: Iterable[Counts]) -> Counts:
        """The sum of any number of counts, in linear time."""
        numbers, tables = Counter[str](), {name: Counter[str]() for name in _TABLES}
        for part in parts:
            numbers.update({name: getattr(part, name) for name in _NUMBERS})
            for name, table in tables.items():
                table.update(getattr(part, name))
        # Sorted: equal counts give equal bytes, regardless of the order of addition.
        ordered = {name: dict(sorted(table.items())) for name, table in tables.items()}
        return cls.from_dict({**numbers, **ordered})

    def is_whole(self) -> bool:
        """Whether all values have their types; those from a damaged file may not."""
        tables = (self.statuses, self.labels, self.splits)
        if not all(isinstance(table, dict) for table in tables):
            return False
        numbers = [getattr(self, name) for name in _NUMBERS]
        return {*map(type, numbers), *(type(each) for table in tables for each in table.values())} == {int}

    @property
    def failed(self) -> int:
        """Rows that count against ``--max-errors``: status unreadable or error."""
        return self.statuses.get("unreadable", 0) + self.statuses.get("error", 0)


class RowCounter:
    """Count rows of a run (``labelled``: with ``--label``); a sample counts with its first variant."""

    def __init__(self, labelled: bool) -> None:
        self._labelled = labelled
        self._samples = self._unlabelled = 0
        self._statuses, self._labels, self._splits = Counter[str](), Counter[str](), Counter[str]()

    def add(self, row: ManifestRow) -> None:
        """Count one row."""
        self._samples += row.variant == 0
        self._statuses[row.status] += 1
        self._splits[row.split or "none"] += 1
        if row.label is not None:
            self._labels[row.label] += 1
        elif self._labelled:
            self._unlabelled += 1

    def counts(self, shards: int = 0) -> Counts:
        """The counts so far, as of so many shards."""
        rows, images = self._statuses.total(), self._statuses["masked"]
        tables = (self._statuses, self._labels, self._splits)
        return Counts.total([Counts(self._samples, rows, images, *tables, self._unlabelled, shards)])
