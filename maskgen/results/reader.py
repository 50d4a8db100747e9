"""The files of a finished result, by their names in its manifest: loose ones, and members of its tars."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from maskgen.errors import UnreadableImageError
from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import entries, is_remote, open_lines
from maskgen.files.safe_paths import contained, refuse_escape
from maskgen.files.system_files import is_system_name
from maskgen.files.tar import Entry, plain_name, read_member, scan
from maskgen.limits import MAX_BYTES
from maskgen.records import Member, Sample

_TAR = ".tar/"


def tar_of(place: str) -> str | None:
    """The tar that a place in a manifest leads through, such as ``shards/000012.tar``; None without one."""
    return place[: place.index(_TAR) + 4] if place.startswith("shards/") and _TAR in place else None


class ResultFiles:
    """Reads the files of a result; of its tars the members of the last one asked for are remembered.

    Args:
        out: A folder that `maskgen synth` wrote.
        packed: Whether its images are in tars.
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
            UnreadableImageError: It is larger than any image, or in a damaged tar.
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
        return self._out / contained(self._out, refuse_escape(from_text(place), where), where)


def listed_files(out: Path) -> Iterator[str]:
    """Every file below a folder, as a manifest would call it, in no order.

    ``.maskgen`` is left out, and so are `maskgen.files.system_files`.
    """
    waiting = [""]
    while waiting:
        below = waiting.pop()
        folder = out / below if below else out
        for name, is_folder in _folder_content(folder):
            if is_system_name(name):
                continue
            if not is_folder:
                yield to_text(below + name)
            elif below or name != ".maskgen":
                waiting.append(f"{below}{name}/")


def _folder_content(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder and no link to one) of all in a folder."""
    if is_remote(folder):
        return [(entry.name, entry.is_folder) for entry in entries(folder)]
    with os.scandir(folder) as scan_of_folder:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scan_of_folder]


_TAR = ".tar/"


class Members:
    """Looks up members, tar by tar; the rows of a manifest come in the order of its tars.

    Args:
        folder: Where the manifest lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._archive: str | None = None
        self._found: dict[str, Member] = {}
        self._damage = ""

    def find(self, file: str) -> Member | None:
        """The place of an image.

        Args:
            file: Its path below the folder, with ``/`` between folders.

        Returns:
            None where no part of the path is a tar; a member with a `refusal` where the tar does not have it.
        """
        end = file.find(_TAR) + len(_TAR) - 1
        archive, name = file[:end], file[end + 1 :]
        if end < len(_TAR) or (self._folder / archive).is_dir():
            return None
        if archive != self._archive:
            self._look_into(archive)
        refusal = self._damage or f"{archive} has no member {name!r}"
        return self._found.get(name) or Member(archive, name, refusal=refusal)

    def _look_into(self, archive: str) -> None:
        self._archive, self._found, self._damage = archive, {}, ""
        try:
            with (self._folder / archive).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                for entry in scan(file):
                    if entry.kind == "file":
                        name = plain_name(entry.name)
                        self._found[name] = Member(archive, name, entry.offset, entry.size, size)
        except UnreadableImageError as error:
            # What lies before the damage can be read.
            self._damage = f"{archive}: {error}"
        except OSError as error:
            self._damage = f"{archive}: {error.strerror or error}"


def read_image_file(path: Path, member: Member | None = None) -> bytes:
    """The content of an image.

    Args:
        path: Its file, or a path through a tar.
        member: Where it lies in that tar; None for a file of its own.

    Raises:
        UnreadableImageError: The member is not there, or the tar has changed since.
        OSError: The file, or the tar, cannot be read.
    """
    if member is None:
        return path.read_bytes()
    tar = path.parents[member.name.count("/")]
    return read_member(Sample(member.name, tar, member.name, member=member))


def named_files(rows: Path) -> set[str]:
    """The files that a part of the manifest names; a line that a kill cut short names none."""
    names: set[str] = set()
    try:
        with open_lines(rows) as lines:
            for line in lines:
                names.update(_named_in(line))
    except FileNotFoundError:
        return names
    return names


def _named_in(line: bytes) -> list[str]:
    try:
        row = from_json(line)
        named = [row["file_name"], row["unmasked_file"], *(face["alpha_file"] for face in row["faces"])]
    except (ValueError, LookupError, TypeError):
        return []
    return [name for name in named if name and isinstance(name, str)]
