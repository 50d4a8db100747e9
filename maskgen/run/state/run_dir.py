"""The run directory ``.maskgen`` of an output: the configuration and the progress of the run.

::

    OUT/.maskgen/config.json          the configuration; a run with another one is refused
    OUT/.maskgen/listing.json         the number of shards and samples, after the first complete listing
    OUT/.maskgen/labels.json          size, time and sha256 of the dataset's label files
    OUT/.maskgen/tmp/000012-1f2e3d4c/ unfinished files of shard 12; its rows are in rows.jsonl
    OUT/.maskgen/shards/000012.left   files that killed attempts at shard 12 wrote
    OUT/.maskgen/shards/000012.overdue  how often each of its images exceeded --image-timeout
    OUT/.maskgen/shards/000012.jsonl  the rows of shard 12
    OUT/.maskgen/shards/000012.sources  size and time of its sources
    OUT/.maskgen/shards/000012.files  its files, each with its `maskgen.run.state.shard_records.spot_checksum`
    OUT/.maskgen/shards/000012.json   its stats: the shard is done if and only if this file exists
    OUT/.maskgen/finished.json        a hash of the stats that the final files were made from

Each file appears by an atomic rename, and a row is in ``rows.jsonl`` before its images are written: the next
run knows every file of a killed one. The first job of an array creates ``config.json``; every job writes
``labels.json`` and ``listing.json`` with the same content.
"""

import json
import logging
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from maskgen.files.atomic import remove_file, sync_files, write_atomic, write_new
from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import names_in, read_each
from maskgen.records import Sample
from maskgen.results.reader import named_files
from maskgen.run.state.shard_records import ShardStats, read_stats, state_json
from maskgen.run.state.time_limit import NOTE, overdue_image

STATE = ".maskgen"

# The rows of a shard in its scratch folder, until it is done.
ROWS = "rows.jsonl"

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class Shard:
    """The unit of work: ``options.shard_size`` consecutive samples of the dataset."""

    index: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class RunDir:
    """The state of the run in an output folder.

    Attributes:
        out: The output folder.
        sync: Whether a shard is flushed to the disk before it counts as done.
    """

    out: Path
    sync: bool = True

    @property
    def folder(self) -> Path:
        """The ``.maskgen`` folder."""
        return self.out / STATE

    @property
    def scratch(self) -> Path:
        """The folder of unfinished files."""
        return self.folder / "tmp"

    def make_folders(self) -> None:
        """Create the missing folders."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        (self.folder / "shards").mkdir(exist_ok=True)

    def rows_path(self, index: int) -> Path:
        """The file of a shard's manifest rows."""
        return self._shard_file(index, "jsonl")

    def sources_path(self, index: int) -> Path:
        """The record of a shard's sources, for `maskgen.run.resume`."""
        return self._shard_file(index, "sources")

    def files_path(self, index: int) -> Path:
        """The file with the list of a shard's files."""
        return self._shard_file(index, "files")

    def stats_path(self, index: int) -> Path:
        """The stats file of a shard."""
        return self._shard_file(index, "json")

    def read(self, name: str) -> dict[str, Any] | None:
        """The content of ``config.json``, ``listing.json`` or the like; None if it is absent or damaged."""
        try:
            values = from_json((self.folder / name).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            log.warning("%s is damaged and taken as absent", self.folder / name)
            return None
        return values if isinstance(values, dict) else None

    def write(self, name: str, values: Mapping[str, Any]) -> None:
        """Write one of those files atomically."""
        self.make_folders()
        write_atomic(self.folder / name, state_json(values), self.scratch, self.sync)
        self.sync_files([f"{STATE}/{name}"])

    def final_files(self) -> dict[str, str]:
        """Name -> spot checksum of each file in ``finished.json``; "" for a file not yet written."""
        files = (self.read("finished.json") or {}).get("files")
        return {name: str(each) for name, each in files.items()} if isinstance(files, dict) else {}

    def sync_files(self, names: Iterable[str]) -> None:
        """Flush files, by their manifest names, to the disk; does nothing if `sync` is off."""
        if self.sync:
            sync_files(self.out, map(from_text, names))

    def create(self, name: str, values: Mapping[str, Any]) -> bool:
        """Write one of those files if it is absent; of several concurrent jobs one succeeds."""
        self.make_folders()
        created = write_new(self.folder / name, state_json(values), self.scratch)
        self.sync_files([f"{STATE}/{name}"])
        return created

    def done(self) -> dict[int, ShardStats]:
        """Index -> stats of the finished shards, in order; a damaged stats file counts as absent."""
        done: dict[int, ShardStats] = {}
        names = sorted(name for name in self._names("shards") if name.endswith(".json"))
        contents = read_each([self.folder / "shards" / name for name in names])
        for name, data in zip(names, contents, strict=True):
            stats = read_stats(data)
            if stats is not None and name == f"{stats.index:06}.json":
                done[stats.index] = stats
            else:
                log.warning("the shard of %s counts as not done: that file is damaged", name)
        return dict(sorted(done.items()))

    def forget(self, *indexes: int) -> None:
        """Mark shards as not done."""
        for index in indexes:
            self.stats_path(index).unlink(missing_ok=True)

    def open_scratch(self, index: int) -> Path:
        """Create an empty folder for a shard's unfinished files, after settling killed attempts.

        Its name is new: a worker that survives its killed driver must not share its successor's folder.
        """
        self.settle(index)
        scratch = self.scratch / f"{index:06}-{secrets.token_hex(4)}"
        scratch.mkdir()
        return scratch

    def settle(self, index: int) -> list[str]:
        """Remove the unfinished files of a shard, and record the names of its written files.

        Also records and returns the ids of the images that exceeded their time limit.
        """
        self.make_folders()
        written, attempts = self.written(index), self._attempts(index)
        if written and not self.stats_path(index).exists():
            write_atomic(self._shard_file(index, "left"), json.dumps(sorted(written)).encode(), self.scratch)
        overdue = list(filter(None, (overdue_image(attempt / NOTE) for attempt in attempts)))
        if overdue:
            times = Counter(self.overdue(index)) + Counter(overdue)
            write_atomic(self._shard_file(index, "overdue"), json.dumps(times).encode(), self.scratch)
        for attempt in attempts:
            shutil.rmtree(attempt, ignore_errors=True)
        return overdue

    def overdue(self, index: int) -> dict[str, int]:
        """Id -> how often this image of an unfinished shard exceeded its time limit."""
        return self.read(f"shards/{index:06}.overdue") or {}

    def finish_shard(
        self, scratch: Path, stats: ShardStats, files: Iterable[str], checksums: bytes, sources: bytes
    ) -> None:
        """Mark a shard as done, and remove files that only earlier attempts at it wrote.

        Its ``files``, its rows in ``scratch``, their ``checksums`` and the record of its ``sources`` are
        flushed to the disk before its stats.
        """
        index = stats.index
        earlier, rows = self.written(index, besides=scratch), self.rows_path(index)
        (scratch / ROWS).replace(rows)
        write_atomic(self.files_path(index), checksums, scratch)
        if earlier:
            now = named_files(rows)
            self._unlink(self._files(earlier - now) - self._files(now))
        self._shard_file(index, "left").unlink(missing_ok=True)
        self._shard_file(index, "overdue").unlink(missing_ok=True)
        write_atomic(self.sources_path(index), sources, scratch)
        records = (f"{STATE}/shards/{index:06}.{suffix}" for suffix in ("jsonl", "files", "sources"))
        self.sync_files([*files, *records])
        write_atomic(self.stats_path(index), stats.as_json(), scratch, self.sync)
        self.sync_files([f"{STATE}/shards/{index:06}.json"])
        shutil.rmtree(scratch, ignore_errors=True)

    def written(self, index: int, besides: Path | None = None) -> set[str]:
        """The files that any attempt at a shard wrote or was about to write, except that in ``besides``."""
        names = named_files(self.rows_path(index))
        for attempt in self._attempts(index):
            if attempt != besides:
                names |= named_files(attempt / ROWS)
        try:
            left = from_json(self._shard_file(index, "left").read_bytes())
        except (FileNotFoundError, ValueError):
            return names
        return names | {name for name in (left if isinstance(left, list) else ()) if isinstance(name, str)}

    def begun(self) -> list[int]:
        """The shards with any files here, done or not."""
        names = (*self._names("shards"), *self._names("tmp"))
        return sorted({int(match[0]) for name in names if (match := re.match("[0-9]{6,}", name))})

    def is_begun(self) -> bool:
        """Whether a run has begun here, even with a damaged ``config.json``."""
        return "config.json" in names_in(self.folder) or bool(self.begun())

    def has_leftovers(self) -> bool:
        """Whether a killed or crashed attempt at a shard has not been settled."""
        return any(re.match("[0-9]{6,}-", name) for name in self._names("tmp"))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of this run, by their manifest names, and folders that become empty."""
        self._unlink(self._files(names))

    def _unlink(self, files: Iterable[str]) -> None:
        inside = self.out.resolve()
        for name in sorted(files):
            path = self.out / name
            # A user may have replaced an output folder by a link to other files.
            if not path.parent.resolve().is_relative_to(inside):
                log.warning("%s leads out of %s and is left alone", to_text(name), self.out)
                continue
            if remove_file(path):
                with suppress(OSError):  # the first folder that is not empty
                    while (path := path.parent) != self.out:
                        path.rmdir()

    def _files(self, names: Iterable[str]) -> set[str]:
        """The files of names in the manifest; for a member of a tar, the tar."""
        files = set()
        for name in map(from_text, names):
            above = (str(parent) for parent in PurePosixPath(name).parents)
            # `Path.is_file` raises for a path that is too long.
            files.add(next((tar for tar in above if os.path.isfile(self.out / tar)), name))  # noqa: PTH113
        return files

    def _attempts(self, index: int) -> list[Path]:
        return [self.scratch / name for name in self._names("tmp") if name.startswith(f"{index:06}-")]

    def _shard_file(self, index: int, suffix: str) -> Path:
        return self.folder / "shards" / f"{index:06}.{suffix}"

    def _names(self, below: str) -> list[str]:
        try:
            with os.scandir(self.folder / below) as scan:
                return [entry.name for entry in scan]
        except FileNotFoundError:
            return []
