"""The records of a finished shard: its stats, its sources, and spot checksums of its files.

Spot checksums find files that are missing, empty, truncated, longer or zeroed, but not a change between the
spots of a large file; `maskgen verify` reads every byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import is_remote
from maskgen.records import Sample
from maskgen.results.counts import Counts

# Bytes up to which `spot_checksum` reads a file whole: that takes little longer than opening it.
_SMALL = 1 << 14

# Bytes of a spot, and spots in a larger file besides the one at its end.
_SPOT, _SPOTS = 64, 16

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


def spot_checksum(path: Path | str) -> str:
    """Size and CRC-32 of a file, such as "5312 9f3a01c2"; of a large file the CRC-32 covers spots only."""
    crc, is_local = 0, isinstance(path, (str, Path))
    # `Path.open` would double the time of this function.
    with open(path, "rb", buffering=0) if is_local else path.open("rb") as file:  # type: ignore[union-attr]  # noqa: PTH123
        size = file.seek(0, os.SEEK_END)
        spots = (*range(0, size, size // _SPOTS), size - _SPOT) if size > _SMALL else (0,)
        for offset in spots:
            file.seek(offset)
            crc = zlib.crc32(file.read(_SPOT if size > _SMALL else size), crc)
    return f"{size} {crc:08x}"


def spot_checksums(out: Path, names: Iterable[str]) -> dict[str, str]:
    """Manifest name -> `spot_checksum` of files below ``out``."""
    return {name: spot_checksum(out / from_text(name)) for name in sorted(names)}


def changed_file(out: Path, checksums: Mapping[str, str]) -> str | None:
    """A description of the first file that does not match its checksum; None if all match."""
    for name, before in checksums.items():
        try:
            # Joining paths would double the time of `spot_checksum`.
            path = out / from_text(name) if is_remote(out) else f"{out}/{from_text(name)}"
            now = spot_checksum(path)
        except FileNotFoundError:
            return f"{name} is missing"
        except (OSError, ValueError) as error:
            return f"{name} cannot be read: {error}"
        if now.split()[0] != before.split()[0]:
            return f"{name} has {now.split()[0]} bytes and not {before.split()[0]}"
        if now != before:
            return f"{name} has changed"
    return None
