"""Whether the files of a done shard still are what they were when it was done.

A list beside the shard's stats holds the `spot_checksum` of each file, and the stats hold the sha256 of that
list and of the rows. To compare them reads small files whole and a few bytes of larger ones.
It finds files that are missing, emptied, cut, longer or zeroed. A large file that keeps its size and those
bytes passes; `maskgen verify` reads every byte.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text
from maskgen.files.remote import is_remote
from maskgen.run.state.run_dir import RunDir
from maskgen.run.state.shard_stats import ShardStats

# A file of up to so many bytes is read whole: that takes little longer than to open it.
_SMALL = 1 << 14

# Of a larger one so many bytes are read at so many places, and at its end.
_SPOT, _SPOTS = 64, 16

# Shards that are checked at once: on a disk or network with cold caches, most of the time is waiting.
_THREADS = 8


def spot_checksum(path: Path | str) -> str:
    """A file's size and a CRC-32, such as "5312 9f3a01c2": of all its bytes, or of spots of a large file.

    Raises:
        OSError: The file cannot be read.
    """
    crc, local = 0, isinstance(path, (str, Path))
    # `Path.open` would take as long as all else here.
    with open(path, "rb", buffering=0) if local else path.open("rb") as file:  # type: ignore[union-attr]  # noqa: PTH123
        size = file.seek(0, os.SEEK_END)
        spots = (*range(0, size, size // _SPOTS), size - _SPOT) if size > _SMALL else (0,)
        for offset in spots:
            file.seek(offset)
            crc = zlib.crc32(file.read(_SPOT if size > _SMALL else size), crc)
    return f"{size} {crc:08x}"


def spot_checksums(out: Path, names: Iterable[str]) -> dict[str, str]:
    """Name -> `spot_checksum` of files below ``out``; the names are those of the manifest."""
    return {name: spot_checksum(out / from_text(name)) for name in sorted(names)}


def changed_file(out: Path, checksums: Mapping[str, str]) -> str | None:
    """The first file that is not what its checksum says, and why, in words; None if there is none."""
    remote, top = is_remote(out), os.fspath(out) if not is_remote(out) else ""
    for name, before in checksums.items():
        try:
            # To join paths would take as long as all else here.
            now = spot_checksum(out / from_text(name) if remote else f"{top}/{from_text(name)}")
        except FileNotFoundError:
            return f"{name} is missing"
        except (OSError, ValueError) as error:
            return f"{name} cannot be read: {error}"
        if now.split()[0] != before.split()[0]:
            return f"{name} has {now.split()[0]} bytes and not {before.split()[0]}"
        if now != before:
            return f"{name} has changed"
    return None


def damage(folder: RunDir, stats: ShardStats) -> str | None:
    """Why a done shard must be done again, in words; None if its files are what they were.

    Args:
        folder: The run's folder. In a store only the rows and the list of files are checked: to ask for the
            size of each file would be a request each.
        stats: The shard's.
    """
    for path, sha256 in (
        (folder.rows_path(stats.index), stats.rows_sha256),
        (folder.files_path(stats.index), stats.files_sha256),
    ):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return f"{path.name} is missing"
        except OSError as error:
            return f"{path.name} cannot be read: {error}"
        if hashlib.sha256(data).hexdigest() != sha256:
            return f"{path.name} is damaged"
    return None if is_remote(folder.out) else changed_file(folder.out, from_json(data))


def damaged_shards(folder: RunDir, done: Iterable[ShardStats]) -> Iterator[tuple[int, str]]:
    """Index of each damaged shard among these, and its `damage`."""
    shards = list(done)
    with ThreadPoolExecutor(_THREADS) as pool:
        reasons = pool.map(lambda stats: damage(folder, stats), shards)
        for stats, reason in zip(shards, reasons, strict=True):
            if reason is not None:
                yield stats.index, reason
