"""The ``.maskgen`` folder of an output: what the run is, which shards are done, and what they came to.

::

    OUT/.maskgen/config.json          what the run is; another one is refused
    OUT/.maskgen/listing.json         shards and samples of the dataset, once it has been listed to its end
    OUT/.maskgen/labels.json          size, time and sha256 of the dataset's label files
    OUT/.maskgen/tmp/000012-1f2e3d4c/ what is being written for shard 12; its rows are in rows.jsonl
    OUT/.maskgen/shards/000012.left   files that killed attempts at shard 12 have written
    OUT/.maskgen/shards/000012.overdue  how often each of its images exceeded --image-timeout
    OUT/.maskgen/shards/000012.jsonl  the rows of shard 12
    OUT/.maskgen/shards/000012.sources  size and time of its sources
    OUT/.maskgen/shards/000012.files  its files, each with its `maskgen.run.state.shard_check.spot_checksum`
    OUT/.maskgen/shards/000012.json   its stats: the shard is done if and only if this file is there
    OUT/.maskgen/finished.json        which stats the final files were made from

Each of them appears by an atomic rename, and a row is in ``rows.jsonl`` before the images it names are
written: nothing that a killed run wrote is unknown to the next one. The first job of an array creates
``config.json``; ``labels.json`` and ``listing.json`` are written by each, with the same content.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from maskgen.files.atomic import remove_file, sync_files, write_atomic, write_new
from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import names_in, read_each
from maskgen.records import Sample
from maskgen.results.reader import named_files
from maskgen.run.state.shard_stats import ShardStats, read_stats, state_json
from maskgen.run.state.time_limit import NOTE, overdue_image

STATE = ".maskgen"

# The rows of a shard and the list of its files in its scratch folder, until it is done.
ROWS, FILES = "rows.jsonl", "files.json"

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class Shard:
    """The unit of work: ``options.shard_size`` samples that follow each other in the dataset."""

    index: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class RunDir:
    """The state of the run that writes into ``out``.

    Attributes:
        out: The output folder.
        sync: Whether what is written is written through to the disk before it counts as done.
    """

    out: Path
    sync: bool = True

    @property
    def folder(self) -> Path:
        """The ``.maskgen`` folder."""
        return self.out / STATE

    @property
    def scratch(self) -> Path:
        """Where files are before they are whole."""
        return self.folder / "tmp"

    def make_folders(self) -> None:
        """Make what is not there yet."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        (self.folder / "shards").mkdir(exist_ok=True)

    def rows_path(self, index: int) -> Path:
        """A shard's part of the manifest."""
        return self.folder / "shards" / f"{index:06}.jsonl"

    def sources_path(self, index: int) -> Path:
        """What is kept of a shard's sources, for `maskgen.run.source_changes`."""
        return self.folder / "shards" / f"{index:06}.sources"

    def files_path(self, index: int) -> Path:
        """The list of a shard's files."""
        return self.folder / "shards" / f"{index:06}.files"

    def stats_path(self, index: int) -> Path:
        """A shard's stats."""
        return self.folder / "shards" / f"{index:06}.json"

    def read(self, name: str) -> dict[str, Any] | None:
        """What ``config.json``, ``listing.json`` or ``finished.json`` holds; None if it is not there."""
        return _read_json(self.folder / name)

    def write(self, name: str, values: Mapping[str, Any]) -> None:
        """Write one of those files, whole or not at all."""
        self.make_folders()
        write_atomic(self.folder / name, state_json(values), self.scratch, self.sync)
        self.sync_files([f"{STATE}/{name}"])

    def final_files(self) -> dict[str, str]:
        """Name -> spot checksum of each file in ``finished.json``; "" for one that was not written yet."""
        files = (self.read("finished.json") or {}).get("files")
        return {name: str(each) for name, each in files.items()} if isinstance(files, dict) else {}

    def sync_files(self, names: Iterable[str]) -> None:
        """Write files through to the disk, unless the run is not to; the names are those of the manifest."""
        if self.sync:
            sync_files(self.out, map(from_text, names))

    def create(self, name: str, values: Mapping[str, Any]) -> bool:
        """Write one of those files unless it is there; of several jobs at it at once one succeeds."""
        self.make_folders()
        ours = write_new(self.folder / name, state_json(values), self.scratch)
        self.sync_files([f"{STATE}/{name}"])
        return ours

    def done(self) -> dict[int, ShardStats]:
        """The shards that are done, in their order. A stats file that cannot be read counts as not there."""
        found: dict[int, ShardStats] = {}
        names = sorted(name for name in self._names("shards") if name.endswith(".json"))
        for name, data in zip(
            names, read_each([self.folder / "shards" / each for each in names]), strict=True
        ):
            stats = read_stats(data)
            if stats is not None and name == f"{stats.index:06}.json":
                found[stats.index] = stats
            else:
                log.warning("the shard of %s counts as not done: that file is damaged", name)
        return dict(sorted(found.items()))

    def forget(self, *indexes: int) -> None:
        """Say that shards are not done after all."""
        for index in indexes:
            self.stats_path(index).unlink(missing_ok=True)

    def open_scratch(self, index: int) -> Path:
        """A new empty folder for a shard's unfinished files, after killed attempts at it are settled.

        Its name is new each time: a process that outlived its killed driver must not find its folder again
        and write beside the one that has taken over.
        """
        self.settle(index)
        scratch = self.scratch / f"{index:06}-{secrets.token_hex(4)}"
        scratch.mkdir()
        return scratch

    def settle(self, index: int) -> list[str]:
        """Remove the unfinished files of a shard, but keep in mind which files it has written.

        Returns the ids of the images over which an attempt exceeded its time limit; they are kept too.
        """
        self.make_folders()
        written = self.written(index)
        if written and not self.stats_path(index).exists():
            write_atomic(self._left_path(index), json.dumps(sorted(written)).encode(), self.scratch)
        attempts = [self.scratch / name for name in self._names("tmp") if name.startswith(f"{index:06}-")]
        overdue = list(filter(None, (overdue_image(attempt / NOTE) for attempt in attempts)))
        if overdue:
            times = Counter(self.overdue(index)) + Counter(overdue)
            write_atomic(self._overdue_path(index), json.dumps(times).encode(), self.scratch)
        for attempt in attempts:
            shutil.rmtree(attempt, ignore_errors=True)
        return overdue

    def overdue(self, index: int) -> dict[str, int]:
        """Id -> how often an attempt at a shard that is not done exceeded its time limit over this image."""
        return self.read(f"shards/{index:06}.overdue") or {}

    def finish_shard(self, scratch: Path, stats: ShardStats, files: Iterable[str], sources: bytes) -> None:
        """Say that a shard is done, and remove files that only earlier attempts at it wrote.

        Args:
            scratch: From `open_scratch`; holds the rows and the list of files.
            stats: What it came to.
            files: Its files: they, the rows and the list are written through to the disk before its stats.
            sources: What is kept of its sources.
        """
        earlier = self.written(stats.index, besides=scratch)
        rows, listed, told = (
            each(stats.index) for each in (self.rows_path, self.files_path, self.stats_path)
        )
        (scratch / ROWS).replace(rows)
        (scratch / FILES).replace(listed)
        if earlier:
            now = named_files(rows)
            self._unlink(self._files(earlier - now) - self._files(now))
        self._left_path(stats.index).unlink(missing_ok=True)
        self._overdue_path(stats.index).unlink(missing_ok=True)
        kept = self.sources_path(stats.index)
        write_atomic(kept, sources, scratch)
        self.sync_files([*files, *(f"{STATE}/shards/{path.name}" for path in (rows, listed, kept))])
        write_atomic(told, stats.as_json(), scratch, self.sync)
        self.sync_files([f"{STATE}/shards/{told.name}"])
        shutil.rmtree(scratch, ignore_errors=True)

    def written(self, index: int, besides: Path | None = None) -> set[str]:
        """The files that any attempt at a shard has written, or was about to; but for that in ``besides``."""
        names = named_files(self.rows_path(index))
        for name in self._names("tmp"):
            if name.startswith(f"{index:06}-") and (besides is None or name != besides.name):
                names |= named_files(self.scratch / name / ROWS)
        try:
            left = from_json(self._left_path(index).read_bytes())
        except (FileNotFoundError, ValueError):
            return names
        return names | {name for name in (left if isinstance(left, list) else ()) if isinstance(name, str)}

    def begun(self) -> list[int]:
        """The shards that anything is known of, be they done or not."""
        names = (*self._names("shards"), *self._names("tmp"))
        return sorted({int(found[0]) for name in names if (found := re.match("[0-9]{6,}", name))})

    def is_begun(self) -> bool:
        """Whether a run has begun here, be its ``config.json`` readable or not."""
        return "config.json" in names_in(self.folder) or bool(self.begun())

    def has_leftovers(self) -> bool:
        """Whether a run was killed over some shard, or crashed over it, and none has taken that up again."""
        return any(re.match("[0-9]{6,}-", name) for name in self._names("tmp"))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of this run, by their names in the manifest, and the folders they leave empty."""
        self._unlink(self._files(names))

    def _unlink(self, files: Iterable[str]) -> None:
        inside = self.out.resolve()
        for name in sorted(files):
            path = self.out / name
            # A folder of the output that someone has replaced by a link leads to files that are not ours.
            if not path.parent.resolve().is_relative_to(inside):
                log.warning("%s leads out of %s and is left alone", to_text(name), self.out)
                continue
            if not remove_file(path):
                continue
            folder = path.parent
            while folder != self.out and _remove_empty(folder):
                folder = folder.parent

    def _files(self, names: Iterable[str]) -> set[str]:
        """The files of these names in the manifest; one that leads on through a tar is in that tar."""
        files = set()
        for name in map(from_text, names):
            above = (str(parent) for parent in PurePosixPath(name).parents)
            # `Path.is_file` raises for a path that is too long.
            files.add(next((tar for tar in above if os.path.isfile(self.out / tar)), name))  # noqa: PTH113
        return files

    def _left_path(self, index: int) -> Path:
        return self.folder / "shards" / f"{index:06}.left"

    def _overdue_path(self, index: int) -> Path:
        return self.folder / "shards" / f"{index:06}.overdue"

    def _names(self, below: str) -> list[str]:
        try:
            with os.scandir(self.folder / below) as scan:
                return [entry.name for entry in scan]
        except FileNotFoundError:
            return []


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        values = from_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        log.warning("%s is damaged and taken as absent", path)
        return None
    return values if isinstance(values, dict) else None
