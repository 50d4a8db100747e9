"""The records of a finished shard: its stats, and the sources that it was made from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.files.json_text import from_json
from maskgen.files.path_text import to_text
from maskgen.files.remote import is_remote
from maskgen.records import Sample
from maskgen.results.counts import Counts

# Size in bytes and time in ns since 1970; None for a missing or remote file.
Stamp = list[int] | None


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


@dataclass(frozen=True)
class ShardSources:
    """The sources of one shard just before they are read.

    Attributes:
        facts: `digest_of_facts` of its samples.
        stamps: Path below the dataset's folder -> stamp of each source file or tar.
    """

    facts: str
    stamps: dict[str, Stamp]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> ShardSources:
        """The current sources of these samples."""
        paths = {each.member.archive if each.member else each.relative: each.path for each in samples}
        return cls(digest_of_facts(samples), {to_text(place): stamp(path) for place, path in paths.items()})

    @classmethod
    def read(cls, path: Path) -> ShardSources | None:
        """The recorded sources of a finished shard; None if the record is missing or damaged."""
        try:
            values = from_json(path.read_bytes())
            return cls(str(values["facts"]), dict(values["stamps"]))
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return None

    def as_json(self) -> bytes:
        """The content of the shard's ``.sources`` file."""
        return json.dumps(vars(self), ensure_ascii=False).encode()


def digest_of_facts(samples: Sequence[Sample]) -> str:
    """A hash of the samples' metadata, such as labels and boxes."""
    hashed = hashlib.sha256()
    for sample in samples:
        facts = (sample.id, sample.relative, sample.split, sample.identity, sample.boxes, sample.note)
        hashed.update(repr((facts, dict(sample.attributes))).encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


def stamp(path: Path) -> Stamp:
    """The current size and time of a file."""
    if is_remote(path):
        return None
    try:
        info = os.stat(path)  # noqa: PTH116 - takes half the time of `Path.stat`
    except (OSError, ValueError):
        return None
    return [info.st_size, info.st_mtime_ns]
