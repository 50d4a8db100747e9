"""The stats of a finished shard: the content of its stats file."""

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
    """The stats of a finished shard.

    Attributes:
        index: Index of the shard, from 0.
        counts: Counts of its rows.
        first: Id of its first sample.
        last: Id of its last sample.
        ids: `digest` of all its ids; detects a changed dataset.
        rows_sha256: sha256 of its part of the manifest.
        files_sha256: sha256 of the list of its files.
        fingerprint: Fingerprint of its configuration.
        processor: `maskgen.process.processor_kind` of its machine; empty if unknown.
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


def read_stats(data: bytes) -> ShardStats | None:
    """Parse a stats file; None if it is damaged."""
    try:
        values = from_json(data)
        stats = ShardStats(**{**values, "counts": Counts.from_dict(values["counts"])})
    except (ValueError, LookupError, TypeError):
        return None
    texts = (value for name, value in vars(stats).items() if name not in ("index", "counts"))
    is_whole = type(stats.index) is int and stats.counts.is_whole()
    return stats if is_whole and all(isinstance(text, str) for text in texts) else None


def digest(ids: Iterable[str]) -> str:
    """A hash of these ids in this order."""
    return hashlib.sha256("\0".join(ids).encode()).hexdigest()


def state_json(values: Mapping[str, Any]) -> bytes:
    """The content of a file of ``.maskgen``."""
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()
