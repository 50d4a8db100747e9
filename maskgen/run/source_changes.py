"""Detect changes of a dataset since a run began, in its label files and in the sources of finished shards.

Each shard records the size and time of its sources, and a digest of their labels. If only the time of a file
is new, its sha256 decides: touching or copying a dataset does not change it. For a dataset in an object store
only label files are compared, because the time of each source would take a request.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskgen.files.atomic import write_atomic
from maskgen.files.checksum import file_sha256
from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import is_remote, open_lines
from maskgen.records import Sample
from maskgen.results.source_files import SourceFiles
from maskgen.run.state.run_dir import RunDir

# Size in bytes and time in ns since 1970; None for a missing or remote file.
Stamp = list[int] | None

# In place of the sha256 of a failed input, which may have been repaired; --retry-failed covers it.
_FAILED = "failed"

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class ShardSources:
    """The sources of one shard just before they are read.

    Attributes:
        facts: Digest of the samples' metadata, such as labels and boxes.
        stamps: Path below the dataset's folder -> stamp of each source file or tar.
    """

    facts: str
    stamps: dict[str, Stamp]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> ShardSources:
        """The current sources of these samples."""
        paths = {each.member.archive if each.member else each.relative: each.path for each in samples}
        return cls(_digest(samples), {to_text(place): _stamp(path) for place, path in paths.items()})

    @classmethod
    def read(cls, folder: RunDir, index: int) -> ShardSources | None:
        """The recorded sources of a finished shard; None if the record is missing or damaged."""
        try:
            values = from_json(folder.sources_path(index).read_bytes())
            return cls(str(values["facts"]), dict(values["stamps"]))
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return None

    def as_json(self) -> bytes:
        """The content of the shard's ``.sources`` file."""
        return json.dumps(vars(self), ensure_ascii=False).encode()


def changed_sources(folder: RunDir, base: Path, shards: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    """(index, first changed source) of each shard with a change; None as source if the record is damaged.

    Args:
        folder: The run directory.
        base: The base folder of the sources' relative paths.
        shards: Indexes of finished shards.
    """
    warned = False
    for index in () if is_remote(base) else shards:
        recorded = ShardSources.read(folder, index)
        if recorded is None:
            yield index, None
            continue
        now = {place: _stamp(base / from_text(place)) for place in recorded.stamps}
        if now == recorded.stamps:
            continue
        if not warned:
            log.warning("the times of sources have changed; their contents are compared")
            warned = True
        sources, files = _source_sha256s(folder.rows_path(index)), SourceFiles(base)
        changed = (
            place
            for place, stamp in now.items()
            if stamp != recorded.stamps[place]
            # No row names a tar, and the labels in it may have changed too.
            and (place not in sources or sources[place] not in (_FAILED, files.sha256(place)))
        )
        if (first := next(changed, None)) is not None:
            yield index, first
        else:
            write_atomic(folder.sources_path(index), ShardSources(recorded.facts, now).as_json())


def changed_labels(folder: RunDir, labels: Mapping[str, Path]) -> list[str]:
    """Names of the label files that have changed since the run began; the first call records them.

    Args:
        folder: The run directory.
        labels: Name -> path of the dataset's label files.
    """
    recorded = folder.read("labels.json")
    if recorded is None:
        write_labels(folder, labels)
        return []

    def changed(name: str) -> bool:
        stamp, sha256 = recorded.get(name) or (None, None)
        path = labels.get(name)
        if path is None:
            return True
        return (stamp is None or stamp != _stamp(path)) and sha256 != file_sha256(path)

    return sorted(filter(changed, {*recorded, *labels}))


def write_labels(folder: RunDir, labels: Mapping[str, Path]) -> None:
    """Record the current label files: the stamp and sha256 of each."""
    folder.write("labels.json", {name: [_stamp(path), file_sha256(path)] for name, path in labels.items()})


def has_changed(folder: RunDir, index: int, samples: Sequence[Sample]) -> bool:
    """Whether the metadata of a shard's samples have changed since it was done."""
    recorded = ShardSources.read(folder, index)
    return recorded is None or recorded.facts != _digest(samples)


def _digest(samples: Sequence[Sample]) -> str:
    hashed = hashlib.sha256()
    for sample in samples:
        facts = (sample.id, sample.relative, sample.split, sample.identity, sample.boxes, sample.note)
        hashed.update(repr((facts, dict(sample.attributes))).encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


def _stamp(path: Path) -> Stamp:
    if is_remote(path):
        return None
    try:
        info = os.stat(path)  # noqa: PTH116 - takes half the time of `Path.stat`
    except (OSError, ValueError):
        return None
    return [info.st_size, info.st_mtime_ns]


def _source_sha256s(rows: Path) -> dict[str, str | None]:
    """Path -> sha256 of each source in a shard's rows; `_FAILED` for a failed input."""
    sha256s: dict[str, str | None] = {}
    try:
        with open_lines(rows) as lines:
            for row in map(from_json, lines):
                failed = row["status"] in ("unreadable", "error")
                sha256s[row["source"]["path"]] = _FAILED if failed else row["source"]["sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return sha256s
