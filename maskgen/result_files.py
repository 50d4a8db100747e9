"""The files of a finished result, by their names in its manifest: loose ones, and members of its tars."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from maskgen.errors import UnreadableImageError
from maskgen.limits import MAX_BYTES
from maskgen.names import name_of, text_of
from maskgen.paths import contained, refuse_escape
from maskgen.stores import entries, is_remote
from maskgen.system_files import is_system_name
from maskgen.tar_members import Entry, plain_name, scan

_TAR = ".tar/"


def tar_of(place: str) -> str | None:
    """The tar that a place in a manifest leads through, such as ``shards/000012.tar``; None without one."""
    return place[: place.index(_TAR) + 4] if place.startswith("shards/") and _TAR in place else None


class ResultFiles:
    """Reads the files of a result; of its tars the members of the last one asked for are remembered.

    Args:
        out: A folder that `maskgen synth` wrote.
        packed: Whether its pictures are in tars.
    """

    def __init__(self, out: Path, packed: bool) -> None:
        self._out, self._packed = out, packed
        self._tar: str | None = None
        self._members: dict[str, Entry] = {}

    def read(self, place: str) -> bytes:
        """The bytes of the file that a manifest calls ``place``.

        Raises:
            OSError: It is not there, or cannot be read.
            AnnotationError: The place leads out of the result.
            UnreadableImageError: It is larger than any picture, or in a damaged tar.
        """
        tar = tar_of(place) if self._packed else None
        if tar is None:
            path = self.path(place)
            if not is_remote(path) and path.stat().st_size > MAX_BYTES:
                raise UnreadableImageError(f"a file of more than {MAX_BYTES} bytes")
            return path.read_bytes()
        return self.member(tar, place)

    def member(self, tar: str, place: str) -> bytes:
        """The bytes of the member of a tar that a manifest calls ``place``; raises as `read` does."""
        entry = self.members(tar).get(place.removeprefix(f"{tar}/"))
        if entry is None:
            raise FileNotFoundError(2, "no such member")
        if entry.kind != "file" or entry.size > MAX_BYTES:
            raise UnreadableImageError(f"{entry.kind} of {entry.size} bytes in the tar")
        with self.path(tar).open("rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def members(self, tar: str) -> dict[str, Entry]:
        """Name -> place of each member of a tar; of two with one name the last, as where it is unpacked."""
        if tar != self._tar:
            self._tar, self._members = None, {}
            with self.path(tar).open("rb") as file:
                self._members = {plain_name(entry.name): entry for entry in scan(file)}
            self._tar = tar
        return self._members

    def path(self, place: str) -> Path:
        """Where a place in the manifest is; `AnnotationError` where it leads out of the result."""
        where = "manifest.jsonl"
        return self._out / contained(self._out, refuse_escape(name_of(place), where), where)


def listed_files(out: Path) -> Iterator[str]:
    """Every file below a folder, as a manifest would call it, in no order.

    ``.maskgen`` is left out, and so are `maskgen.system_files`.
    """
    waiting = [""]
    while waiting:
        below = waiting.pop()
        folder = out / below if below else out
        for name, is_folder in _folder_content(folder):
            if is_system_name(name):
                continue
            if not is_folder:
                yield text_of(below + name)
            elif below or name != ".maskgen":
                waiting.append(f"{below}{name}/")


def _folder_content(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder and no link to one) of all in a folder."""
    if is_remote(folder):
        return [(entry.name, entry.is_folder) for entry in entries(folder)]
    with os.scandir(folder) as scan_of_folder:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scan_of_folder]
