"""Detect missing or damaged files of finished shards by spot checksums.

A list beside the shard's stats holds the `spot_checksum` of each file, and the stats hold the sha256 of that
list and of the rows. The check finds files that are missing, empty, truncated, longer or zeroed, but not a
change between the spots of a large file; `maskgen verify` reads every byte.
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
from maskgen.run.state.shard_records import ShardStats

# Bytes up to which a file is read whole: that takes little longer than opening it.
_SMALL = 1 << 14

# Bytes of a spot, and spots in a larger file besides the one at its end.
_SPOT, _SPOTS = 64, 16

# Shards checked in parallel: with cold caches most of the time is I/O wait.
_THREADS = 8


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


def damaged_shards(folder: RunDir, done: Iterable[ShardStats]) -> Iterator[tuple[int, str]]:
    """(index, damage in words) of each finished shard whose files have changed.

    In a store only the rows and the list of files are checked: the size of each file would take a request.
    """
    shards = list(done)
    with ThreadPoolExecutor(_THREADS) as pool:
        reasons = pool.map(lambda stats: _damage(folder, stats), shards)
        yield from ((stats.index, reason) for stats, reason in zip(shards, reasons, strict=True) if reason)


def _damage(folder: RunDir, stats: ShardStats) -> str | None:
    hashes = {
        folder.rows_path(stats.index): stats.rows_sha256,
        folder.files_path(stats.index): stats.files_sha256,
    }
    for path, sha256 in hashes.items():
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return f"{path.name} is missing"
        except OSError as error:
            return f"{path.name} cannot be read: {error}"
        if hashlib.sha256(data).hexdigest() != sha256:
            return f"{path.name} is damaged"
    return None if is_remote(folder.out) else changed_file(folder.out, from_json(data))
