"""What one shard came to: the content of its stats file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maskgen.files.json_text import from_json
from maskgen.results.counts import Counts


@dataclass(frozen=True)
class ShardStats:
    """What one shard came to.

    Attributes:
        index: Which shard, from 0.
        counts: Of its rows.
        first: Id of its first sample.
        last: Id of its last sample.
        ids: `digest` of all its ids: tells whether the dataset still lists the same.
        rows_sha256: Of its part of the manifest.
        files_sha256: Of the list of its files.
        fingerprint: Of the configuration that it was made with.
        processor: `maskgen.process.processor_kind` of the machine that did it; empty if not known.
    """

    index: int
    counts: Counts
    first: str
    last: str
    ids: str
    rows_sha256: str
    files_sha256: str
    fingerprint: str
    processor: str = ""

    def as_json(self) -> bytes:
        """The content of its stats file."""
        return state_json({**vars(self), "counts": vars(self.counts)})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ShardStats:
        """The stats whose JSON values these are."""
        return cls(**{**values, "counts": Counts.from_dict(values["counts"])})


def read_stats(data: bytes) -> ShardStats | None:
    """The stats that a stats file holds; None if it is damaged."""
    try:
        stats = ShardStats.from_dict(from_json(data))
    except (ValueError, LookupError, TypeError):
        return None
    values = {**vars(stats)}
    index, counts = values.pop("index"), values.pop("counts")
    whole = (
        type(index) is int and counts.is_whole() and all(isinstance(text, str) for text in values.values())
    )
    return stats if whole else None


def digest(ids: Iterable[str]) -> str:
    """A hash of these ids in this order."""
    return hashlib.sha256("\0".join(ids).encode()).hexdigest()


def state_json(values: Mapping[str, Any]) -> bytes:
    """The content of a file of ``.maskgen``."""
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()
