"""Read the files of a result and its sources by their manifest names: loose files, and members of tars."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import entries, is_remote, open_lines
from maskgen.files.safe_paths import contained, refuse_escape
from maskgen.files.system_files import is_system_name
from maskgen.files.tar import Entry, plain_name, read_file, read_member, scan
from maskgen.limits import MAX_BYTES
from maskgen.records import Member, Sample

_TAR = re.compile(r"\.tar/", re.IGNORECASE)
_MANIFEST = "manifest.jsonl"


def tar_of(place: str) -> str | None:
    """The tar in a path of a manifest, such as ``shards/000012.tar``; None for a loose file."""
    match = _TAR.search(place)
    return place[: match.start() + 4] if match and place.startswith("shards/") else None


class _Tar:
    """A tar's size, the entry of each name (of equal names the last), and the damage that ends the list."""

    def __init__(self, path: Path) -> None:
        self.size, self.entries = 0, dict[str, Entry]()
        self.damage: OSError | UnreadableImageError | None = None
        try:
            with path.open("rb") as file:
                self.size = file.seek(0, os.SEEK_END)
                file.seek(0)
                for entry in scan(file):
                    self.entries[plain_name(entry.name)] = entry
        except (OSError, UnreadableImageError) as error:
            self.damage = error


class ResultFiles:
    """Read the files of a result, in tars if it is ``packed``; the members of the last tar are cached."""

    def __init__(self, out: Path, packed: bool) -> None:
        self._out, self._packed = out, packed
        self._open_tar = lru_cache(maxsize=1)(_Tar)

    def read(self, place: str) -> bytes:
        """The bytes of a file, by its path in the manifest; an `OSError` if it cannot be read.

        An `AnnotationError` if the path leads out of the result, an `UnreadableImageError` if the file is
        too large, no regular file, or in a damaged tar.
        """
        tar = tar_of(place) if self._packed else None
        if tar is None:
            return read_image_file(self.path(place))
        entry = self.members(tar).get(place.removeprefix(f"{tar}/"))
        if entry is None:
            raise FileNotFoundError(2, "no such member")
        if entry.kind != "file" or entry.size > MAX_BYTES:
            raise UnreadableImageError(f"{entry.kind} of {entry.size} bytes in the tar")
        with self.path(tar).open("rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def members(self, tar: str) -> dict[str, Entry]:
        """Name -> entry of each member of a tar; raises like `read` if it is damaged anywhere."""
        content = self._open_tar(self.path(tar))
        if content.damage:
            raise content.damage.with_traceback(None)
        return content.entries

    def path(self, place: str) -> Path:
        """The file of a path in the manifest; `AnnotationError` if it leads out of the result."""
        return self._out / contained(self._out, refuse_escape(from_text(place), _MANIFEST), _MANIFEST)


class Members:
    """Look up images in the tars below a folder; the members of the last tar are cached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open_tar = lru_cache(maxsize=1)(_Tar)

    def read(self, file: str) -> bytes:
        """The bytes of an image, by its path below the folder; raises like `read_image_file`."""
        return read_image_file(self.folder / file, self.find(file))

    def find(self, file: str) -> Member | None:
        """The tar member of an image's path below the folder; None if no part of the path is a tar.

        If the tar lacks it, the member has a `refusal`.
        """
        above = (file[: match.start() + 4] for match in _TAR.finditer(file))
        archive = next((name for name in above if not (self.folder / name).is_dir()), None)
        if archive is None:
            return None
        tar, name = self._open_tar(self.folder / archive), file[len(archive) + 1 :]
        entry, damage = tar.entries.get(name), tar.damage
        if entry and entry.kind == "file":
            return Member(archive, name, entry.offset, entry.size, tar.size)
        refusal = f"{archive}: {getattr(damage, 'strerror', None) or damage}"
        return Member(archive, name, refusal=refusal if damage else f"{archive} has no member {name!r}")


class SourceFiles(Members):
    """The sources of a result below their base folder; links may lead anywhere in the user's dataset."""

    def sha256(self, place: str) -> str | None:
        """The sha256 of a source by its path in the manifest; None if it cannot be read."""
        try:
            return hashlib.sha256(self.read(refuse_escape(from_text(place), _MANIFEST))).hexdigest()
        except (OSError, UnreadableImageError, AnnotationError):
            return None


def read_image_file(path: Path, member: Member | None = None) -> bytes:
    """The bytes of an image file, or of a path through a tar with its member.

    Raises like `maskgen.files.tar.read_file` and `read_member`.
    """
    if member is None:
        return path.read_bytes() if is_remote(path) else read_file(path)
    tar = path.parents[member.name.count("/")]
    return read_member(Sample(member.name, tar, member.name, member=member))


def listed_files(out: Path) -> Iterator[str]:
    """Manifest names of all files below a folder, without ``.maskgen`` and `maskgen.files.system_files`."""
    pending = [""]
    while pending:
        below = pending.pop()
        for entry in entries(out / below if below else out):
            name, is_folder = entry.name, entry.is_folder and (is_remote(out) or not entry.is_link)
            if is_system_name(name):
                continue
            if not is_folder:
                yield to_text(below + name)
            elif below or name != ".maskgen":
                pending.append(f"{below}{name}/")


def named_files(rows: Path) -> set[str]:
    """The files that manifest rows name; a truncated last line is ignored, and an absent file names none."""
    names: set[str] = set()
    with suppress(FileNotFoundError), open_lines(rows) as lines:
        for line in lines:
            with suppress(ValueError, LookupError, TypeError):
                row = from_json(line)
                alphas = [face["alpha_file"] for face in row["faces"]]
                named = (row["file_name"], row["unmasked_file"], *alphas)
                names.update(name for name in named if name and isinstance(name, str))
    return names
