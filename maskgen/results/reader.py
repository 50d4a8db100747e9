"""Read the files of a finished result by their manifest names: loose files, and members of tars."""

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
    """The tar in a path of a manifest, such as ``shards/000012.tar``; None for a loose file."""
    return place[: place.index(_TAR) + 4] if place.startswith("shards/") and _TAR in place else None


class ResultFiles:
    """Read the files of a result; the members of the last tar are cached.

    Args:
        out: An output folder of `maskgen synth`.
        packed: Whether its images are in tars.
    """

    def __init__(self, out: Path, packed: bool) -> None:
        self._out, self._packed = out, packed
        self._tar: str | None = None
        self._members: dict[str, Entry] = {}

    def read(self, place: str) -> bytes:
        """The bytes of a file, by its path in the manifest.

        Raises:
            OSError: The file is absent or cannot be read.
            AnnotationError: The path leads out of the result.
            UnreadableImageError: The file is too large, or in a damaged tar.
        """
        tar = tar_of(place) if self._packed else None
        if tar is None:
            path = self.path(place)
            if not is_remote(path) and path.stat().st_size > MAX_BYTES:
                raise UnreadableImageError(f"a file of more than {MAX_BYTES} bytes")
            return path.read_bytes()
        return self.member(tar, place)

    def member(self, tar: str, place: str) -> bytes:
        """The bytes of a tar member, by its path in the manifest; raises like `read`."""
        entry = self.members(tar).get(place.removeprefix(f"{tar}/"))
        if entry is None:
            raise FileNotFoundError(2, "no such member")
        if entry.kind != "file" or entry.size > MAX_BYTES:
            raise UnreadableImageError(f"{entry.kind} of {entry.size} bytes in the tar")
        with self.path(tar).open("rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def members(self, tar: str) -> dict[str, Entry]:
        """Name -> entry of each member of a tar; of equal names the last, as in unpacking."""
        if tar != self._tar:
            self._tar, self._members = None, {}
            with self.path(tar).open("rb") as file:
                self._members = {plain_name(entry.name): entry for entry in scan(file)}
            self._tar = tar
        return self._members

    def path(self, place: str) -> Path:
        """The file of a path in the manifest; `AnnotationError` if it leads out of the result."""
        where = "manifest.jsonl"
        return self._out / contained(self._out, refuse_escape(from_text(place), where), where)


def listed_files(out: Path) -> Iterator[str]:
    """Every file below a folder by its manifest name, in no order.

    ``.maskgen`` and `maskgen.files.system_files` are skipped.
    """
    pending = [""]
    while pending:
        below = pending.pop()
        folder = out / below if below else out
        for name, is_folder in _folder_content(folder):
            if is_system_name(name):
                continue
            if not is_folder:
                yield to_text(below + name)
            elif below or name != ".maskgen":
                pending.append(f"{below}{name}/")


def _folder_content(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder and not a link) of each entry of a folder."""
    if is_remote(folder):
        return [(entry.name, entry.is_folder) for entry in entries(folder)]
    with os.scandir(folder) as scan_of_folder:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scan_of_folder]


class Members:
    """Look up images in tars; the members of the last tar are cached.

    Args:
        folder: The folder of the manifest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._archive: str | None = None
        self._members_by_name: dict[str, Member] = {}
        self._damage = ""

    def find(self, file: str) -> Member | None:
        """The tar member of an image.

        Args:
            file: Its path below the folder, with ``/`` between folders.

        Returns:
            None if no part of the path is a tar; a member with a `refusal` if the tar lacks it.
        """
        end = file.find(_TAR) + len(_TAR) - 1
        archive, name = file[:end], file[end + 1 :]
        if end < len(_TAR) or (self._folder / archive).is_dir():
            return None
        if archive != self._archive:
            self._read_members(archive)
        refusal = self._damage or f"{archive} has no member {name!r}"
        return self._members_by_name.get(name) or Member(archive, name, refusal=refusal)

    def _read_members(self, archive: str) -> None:
        self._archive, self._members_by_name, self._damage = archive, {}, ""
        try:
            with (self._folder / archive).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                for entry in scan(file):
                    if entry.kind == "file":
                        name = plain_name(entry.name)
                        self._members_by_name[name] = Member(archive, name, entry.offset, entry.size, size)
        except UnreadableImageError as error:
            # The members before the damage stay readable.
            self._damage = f"{archive}: {error}"
        except OSError as error:
            self._damage = f"{archive}: {error.strerror or error}"


def read_image_file(path: Path, member: Member | None = None) -> bytes:
    """The content of an image.

    Args:
        path: Its file, or a path through a tar.
        member: Its position in that tar; None for a loose file.

    Raises:
        UnreadableImageError: The member is absent, or the tar has changed.
        OSError: The file or the tar cannot be read.
    """
    if member is None:
        return path.read_bytes()
    tar = path.parents[member.name.count("/")]
    return read_member(Sample(member.name, tar, member.name, member=member))


def named_files(rows: Path) -> set[str]:
    """The files that manifest rows name; a truncated last line is ignored."""
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
        names = [row["file_name"], row["unmasked_file"], *(face["alpha_file"] for face in row["faces"])]
    except (ValueError, LookupError, TypeError):
        return []
    return [name for name in names if name and isinstance(name, str)]
