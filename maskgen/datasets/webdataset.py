"""Tar shards as the webdataset library reads them: members with one name up to the first dot belong together.

Every image in them is an input, whatever stands beside it. Its id is its name in the tar, so that a folder
packed into tars has the ids, the draws and so the very images of the folder itself. A name that was used
before gets its tar's name in front: ``000007/0001.jpg``.
"""

from __future__ import annotations

import hashlib
import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.folder import told_by_folders
from maskgen.datasets.readers.tar_labels import Labels, labels_of
from maskgen.datasets.readers.tar_patterns import find_tars, holds_tars
from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.files.path_text import to_text
from maskgen.files.safe_paths import refuse_escape
from maskgen.files.suffixes import is_image_name
from maskgen.files.tar import Entry, folder_of, is_regular, plain_name, scan
from maskgen.records import Member, Sample, split_of

# Members that are held at a time, and the largest label file.
_MOST_MEMBERS = 1000
_LONGEST_LABEL = 1 << 20

# Bytes of a file name and of a path, which all file systems take.
_LONGEST_PART, _LONGEST_PATH = 255, 1000


@dataclass
class _Group:
    """Members that follow each other and have one key, their name up to the first dot."""

    key: str
    pictures: list[Entry] = field(default_factory=list)
    labels: dict[str, bytes | None] = field(default_factory=dict)


def samples(root: Path) -> Iterator[Sample]:
    """Every image in the tars, tar by tar and in the order it has there; only headers and labels are read.

    A tar that cannot be read to its end gives what can be, and one more sample that says why.
    """
    seen, folder = Seen(), folder_of(root)
    for path in find_tars(root):
        archive = path.relative_to(folder).as_posix()
        try:
            if not is_regular(path):
                raise UnreadableImageError("a pipe, socket or device, not a tar")
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(0)
                for group in _groups(file):
                    for entry in group.pictures:
                        if (labels := labels_of(plain_name(entry.name), group.key, group.labels)) is not None:
                            yield _sample(entry, labels, path, archive, size, seen)
        except (UnreadableImageError, OSError) as error:
            relative = seen.unused(archive, archive)
            refusal = getattr(error, "strerror", None) or str(error)
            yield Sample(to_text(relative), path, relative, member=Member(archive, "", refusal=refusal))


def _groups(file: BinaryIO) -> Iterator[_Group]:
    group, damage = _Group(""), None
    try:
        for entry in scan(file):
            name = plain_name(entry.name)
            folder, slash, base = name.rpartition("/")
            key = folder + slash + base.partition(".")[0]
            if key != group.key or len(group.pictures) + len(group.labels) >= _MOST_MEMBERS:
                yield group
                group = _Group(key)
            if is_image_name(base) and entry.kind != "folder":
                group.pictures.append(entry)
            elif base.lower().endswith((".json", ".cls")) and entry.kind == "file":
                file.seek(entry.offset)
                group.labels[name] = file.read(entry.size) if entry.size <= _LONGEST_LABEL else None
    except UnreadableImageError as error:
        damage = error
    yield group
    if damage is not None:
        raise damage


def _sample(entry: Entry, labels: Labels, path: Path, archive: str, size: int, seen: Seen) -> Sample:
    name = plain_name(entry.name)
    relative = _placeable(labels.source or name)
    told = {} if labels.source else told_by_folders(relative)
    note = told.pop("note", labels.note)
    relative = seen.unused(relative, _placeable(f"{archive.removesuffix('.tar')}/").rstrip("/"))
    return Sample(
        id=to_text(relative),
        path=path,
        relative=relative,
        split=labels.split or _split_in(archive),
        identity=labels.identity,
        attributes={**told, **labels.attributes},
        note=note,
        member=Member(archive, name, entry.offset, entry.size, size, _refusal(entry, size)),
    )


def _refusal(entry: Entry, size: int) -> str | None:
    """Why a member is not read, or None."""
    if entry.kind != "file":
        return entry.kind
    if entry.size < 0 or entry.offset + entry.size > size:
        return f"the tar is cut short: {size - entry.offset} bytes of {entry.size} are there"
    try:
        refuse_escape(entry.name, "the tar")
    except AnnotationError as error:
        return str(error)
    return None


def _placeable(name: str) -> str:
    """The name as a path that can be made below any folder, beside all others of its kind."""
    *folders, base = ("__" if part == ".." else part.replace("\0", "_") for part in name.split("/"))
    # In a tar, but in no folder, a.jpg may be an image and hold others too.
    folders = [f"{part}~" if is_image_name(part) else part for part in folders]
    parts = [_shortened(part, _LONGEST_PART) for part in (*folders, base)]
    return _shortened("/".join(parts), _LONGEST_PATH)


def _shortened(text: str, limit: int) -> str:
    data = os.fsencode(text)
    if len(data) <= limit:
        return text
    return f"{hashlib.sha256(data).hexdigest()[:32]}.{text.rpartition('.')[2][-5:]}".replace("/", "_")


def _split_in(archive: str) -> str | None:
    """The split that the words of a tar's path name, as ``train/`` or ``set-val-000001.tar`` do."""
    found = {split for word in re.split("[^A-Za-z]+", archive) if (split := split_of(word))}
    return found.pop() if len(found) == 1 else None


def _files(root: Path) -> list[Path]:
    """A folder itself; otherwise one tar of each folder, since an output may lie beside them."""
    if folder_of(root) == root:
        return [root]
    return list({path.parent: path for path in find_tars(root)}.values())


WEBDATASET = FaceDataset(
    name="webdataset",
    title="Images in tar shards (webdataset)",
    homepage="",
    licence="The terms of whoever made the images.",
    citation="",
    expects=(
        "uncompressed .tar files with images, and with .json beside them where anything is known",
        "--root may be a folder, a tar, or a pattern such as 'shards/*.tar' or 'shards/{000000..000012}.tar'",
    ),
    holds=holds_tars,
    samples=samples,
    files=_files,
)


class Seen:
    """A set of names that keeps 8 bytes of each one's hash.

    Two names of one hash, at odds of one in 30 million in a million names, are taken for one: then the later
    is told apart by its tar as if the name had been used, which costs nothing.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, name: str) -> bool:
        """Take in a name; False if it was there."""
        if 4 * self._count > 3 * len(self._slots):
            before = self._slots
            self._slots = array("Q", bytes(2 * 8 * len(before)))
            for digest in before:
                if digest:
                    self._put(digest)
        hashed = blake2b(os.fsencode(name), digest_size=8).digest()
        if not self._put(int.from_bytes(hashed, "big") or 1):
            return False
        self._count += 1
        return True

    def _put(self, digest: int) -> bool:
        slots, last = self._slots, len(self._slots) - 1
        place = digest & last
        while slots[place]:
            if slots[place] == digest:
                return False
            place = (place + 1) & last
        slots[place] = digest
        return True

    def unused(self, name: str, shard: str) -> str:
        """The name, or if it was given before one with its tar's name in front; and take it in."""
        found, number = name, 1
        while not self.add(found):
            found = f"{shard}/{name}" if number == 1 else f"{shard}~{number}/{name}"
            number += 1
        return found
