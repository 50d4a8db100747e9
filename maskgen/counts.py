"""How many of what: added up over the rows of a shard, over shards, and over a whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from maskgen.records import ManifestRow


@dataclass(frozen=True)
class Counts:
    """What became of a number of samples; ``a + b`` joins two.

    Attributes:
        samples: Inputs.
        rows: Rows of the manifest: inputs times variants.
        images: Masked pictures written.
        statuses: Rows by status.
        labels: Rows by label.
        splits: Rows by split; those without one under "none".
        unlabelled: Rows without a label in a run that asked for one.
        shards: How many shards that was.
    """

    samples: int = 0
    rows: int = 0
    images: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)
    unlabelled: int = 0
    shards: int = 0

    @classmethod
    def of_row(cls, row: ManifestRow, labelled: bool) -> Counts:
        """The counts of one row, whose sample is counted with its first variant.

        Args:
            row: The row.
            labelled: Whether the run asked for a label.
        """
        return cls(
            samples=int(row.variant == 0),
            rows=1,
            images=int(row.status == "masked"),
            statuses={row.status: 1},
            labels={} if row.label is None else {row.label: 1},
            splits={row.split or "none": 1},
            unlabelled=int(labelled and row.label is None),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Counts:
        """The counts that `as_dict` gave."""
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            samples=self.samples + other.samples,
            rows=self.rows + other.rows,
            images=self.images + other.images,
            statuses=_joined(self.statuses, other.statuses),
            labels=_joined(self.labels, other.labels),
            splits=_joined(self.splits, other.splits),
            unlabelled=self.unlabelled + other.unlabelled,
            shards=self.shards + other.shards,
        )

    @property
    def failed(self) -> int:
        """Rows that count against ``--max-errors``: what could not be read, and what ended in an error."""
        return self.statuses.get("unreadable", 0) + self.statuses.get("error", 0)


def _joined(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    # Sorted, so that the same counts are the same bytes in whatever order they were added up.
    return {key: one.get(key, 0) + other.get(key, 0) for key in sorted({*one, *other})}
