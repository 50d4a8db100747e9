"""What changed in a dataset since a run began: its label files, and the sources of the shards that are done.

Each shard keeps the size and time of its sources, and a digest of what the dataset says of them. A file whose
time alone is new is compared by its sha256: a dataset that was touched, or copied in place, has not changed.
Only label files are compared where the dataset is in a store, which tells no time without a request for each.
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
from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import is_remote, open_lines
from maskgen.records import Sample
from maskgen.results.source_files import SourceFiles
from maskgen.run.state.run_dir import RunDir

# The size and time of each label file, with its sha256.
LABELS = "labels.json"

# Bytes, and ns since 1970; None for a file that is not there, or in a store.
Stamp = list[int] | None

# What was unreadable or ended in an error may be mended meanwhile: that is a matter of --retry-failed.
_FAILURES, _FAILED = ("unreadable", "error"), "failed"

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class ShardSources:
    """The sources of one shard as they were just before they were read.

    Attributes:
        facts: Digest of what the dataset says of the samples: labels, boxes and the like.
        stamps: Path below the dataset's folder -> stamp of each source; of samples in a tar, of the tar.
    """

    facts: str
    stamps: dict[str, Stamp]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> ShardSources:
        """Those of these samples, as they are now."""
        paths = {
            to_text(sample.member.archive if sample.member else sample.relative): sample.path
            for sample in samples
        }
        return cls(_digest(samples), {place: _stamp(path) for place, path in paths.items()})

    @classmethod
    def read(cls, folder: RunDir, index: int) -> ShardSources | None:
        """Those of a shard that is done; None if what was kept of them is gone or damaged."""
        try:
            values = from_json(folder.sources_path(index).read_bytes())
            return cls(str(values["facts"]), dict(values["stamps"]))
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return None

    def as_json(self) -> bytes:
        """The content of the shard's ``.sources`` file."""
        return json.dumps(vars(self), ensure_ascii=False).encode()


def changed_sources(folder: RunDir, base: Path, shards: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    """Index and first changed source, or None if that is not known, of each of these shards with a change.

    Args:
        folder: The run's folder.
        base: The folder that the paths of the sources are relative to.
        shards: Indexes of shards that are done.
    """
    said = False
    for index in () if is_remote(base) else shards:
        known = ShardSources.read(folder, index)
        if known is None:
            yield index, None
            continue
        now = {place: _stamp(base / from_text(place)) for place in known.stamps}
        if now == known.stamps:
            continue
        if not said:
            log.warning("sources have other times than when they were read; their contents are compared")
            said = True
        sources, files = _sources(folder.rows_path(index)), SourceFiles(base)
        changed = (
            place
            for place, stamp in now.items()
            if stamp != known.stamps[place]
            # A tar is in no row; the labels in it may have changed too.
            and (place not in sources or sources[place] not in (_FAILED, files.sha256(place)))
        )
        if (first := next(changed, None)) is not None:
            yield index, first
        else:
            write_atomic(folder.sources_path(index), ShardSources(known.facts, now).as_json())


def changed_labels(folder: RunDir, labels: Mapping[str, Path]) -> list[str]:
    """Names of the label files that are others than when the run began; the first call takes note of them.

    Args:
        folder: The run's folder.
        labels: Name -> path of the dataset's label files.
    """
    known = folder.read(LABELS)
    if known is None:
        write_labels(folder, labels)
        return []

    def same(name: str) -> bool:
        stamp, sha256 = known.get(name) or (None, None)
        now = _stamp(labels[name])
        return (now is not None and now == stamp) or sha256 == _sha256(labels[name])

    return sorted(name for name in {*known, *labels} if name not in labels or not same(name))


def write_labels(folder: RunDir, labels: Mapping[str, Path]) -> None:
    """Take note of the label files as they are now."""
    folder.write(LABELS, {name: [_stamp(path), _sha256(path)] for name, path in labels.items()})


def has_changed(folder: RunDir, index: int, samples: Sequence[Sample]) -> bool:
    """Whether the dataset says other things of a shard's samples than when it was done."""
    known = ShardSources.read(folder, index)
    return known is None or known.facts != _digest(samples)


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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        hashed = hashlib.sha256()
        while piece := file.read(1 << 20):
            hashed.update(piece)
    return hashed.hexdigest()


def _sources(rows: Path) -> dict[str, str | None]:
    """Path -> sha256, or `_FAILED`, of each source in a part of the manifest."""
    try:
        with open_lines(rows) as lines:
            values = [from_json(line) for line in lines]
        return {
            row["source"]["path"]: _FAILED if row["status"] in _FAILURES else row["source"]["sha256"]
            for row in values
        }
    except (OSError, ValueError, LookupError, TypeError):
        return {}
