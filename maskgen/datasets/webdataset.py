"""Tar shards in the layout of the webdataset library: members with one name up to the first dot are a group.

Every image in a tar is a sample, with or without labels. Its id is its name in the tar, so a folder packed
into tars has the same ids, random draws and masked images as the folder itself. A name that was used before
gets the tar's name as prefix: ``000007/0001.jpg``.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.folder import folder_attributes
from maskgen.datasets.readers.tar_labels import Labels, labels_of
from maskgen.datasets.readers.tar_patterns import find_tars, holds_tars
from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.files.path_text import to_text
from maskgen.files.safe_paths import refuse_escape
from maskgen.files.suffixes import is_image_name
from maskgen.files.tar import Entry, folder_of, plain_name, scan
from maskgen.records import Member, Sample, split_of

# Most members of a group, and bytes of the largest label file.
_MOST_MEMBERS, _LONGEST_LABEL = 1000, 1 << 20
# Lengths in bytes of a file name and of a path that all file systems support.
_LONGEST_PART, _LONGEST_PATH = 255, 1000


def samples(root: Path) -> Iterator[Sample]:
    """Every image in the tars, in their order; only headers and labels are read.

    A damaged tar gives its readable samples, and one more sample with the error.
    """
    used, folder = set[bytes](), folder_of(root)
    for path in find_tars(root):
        archive = path.relative_to(folder).as_posix()
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
                raise UnreadableImageError("a pipe, socket or device, not a tar")
            with path.open("rb") as file:
                for key, images, label_files in _groups(file):
                    for entry in images:
                        if (labels := labels_of(plain_name(entry.name), key, label_files)) is not None:
                            yield _sample(entry, labels, path, archive, status.st_size, used)
        except (UnreadableImageError, OSError) as error:
            relative = _unused(archive, archive, used)
            refusal = getattr(error, "strerror", None) or str(error)
            yield Sample(to_text(relative), path, relative, member=Member(archive, "", refusal=refusal))


def _groups(file: BinaryIO) -> Iterator[tuple[str, list[Entry], dict[str, bytes | None]]]:
    """Key, images and label files of consecutive members with one key, their name up to the first dot."""
    key, images, label_files = "", list[Entry](), dict[str, bytes | None]()
    damage = None
    try:
        for entry in scan(file):
            name = plain_name(entry.name)
            folder, slash, base = name.rpartition("/")
            own_key = folder + slash + base.partition(".")[0]
            if own_key != key or len(images) + len(label_files) >= _MOST_MEMBERS:
                yield key, images, label_files
                key, images, label_files = own_key, [], {}
            if is_image_name(base) and entry.kind != "folder":
                images.append(entry)
            elif base.lower().endswith((".json", ".cls")) and entry.kind == "file":
                file.seek(entry.offset)
                label_files[name] = file.read(entry.size) if entry.size <= _LONGEST_LABEL else None
    except UnreadableImageError as error:
        damage = error
    yield key, images, label_files
    if damage is not None:
        raise damage


def _sample(entry: Entry, labels: Labels, path: Path, archive: str, size: int, used: set[bytes]) -> Sample:
    name = plain_name(entry.name)
    relative = _placeable(labels.source or name)
    attributes: dict[str, Any] = {} if labels.source else {**folder_attributes(relative)}
    note = attributes.pop("note", labels.note)
    relative = _unused(relative, _placeable(f"{archive.removesuffix('.tar')}/").rstrip("/"), used)
    # The words of a tar's path, such as ``train/`` or ``set-val-000001.tar``.
    splits = {split for word in re.split("[^A-Za-z]+", archive) if (split := split_of(word))}
    split = labels.split or (splits.pop() if len(splits) == 1 else None)
    member = Member(archive, name, entry.offset, entry.size, size, _refusal(entry, size))
    attributes |= labels.attributes
    return Sample(to_text(relative), path, relative, split, labels.identity, attributes, (), note, member)


def _refusal(entry: Entry, size: int) -> str | None:
    """The reason why a member of a tar of ``size`` bytes is not read."""
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
    """A path from a member's name that every file system can create and that clashes with no other."""
    *folders, base = ("__" if part == ".." else part.replace("\0", "_") for part in name.split("/"))
    # In a tar, unlike in a folder, a.jpg can be both an image and a folder of others.
    folders = [f"{part}~" if is_image_name(part) else part for part in folders]
    parts = [_shortened(part, _LONGEST_PART) for part in (*folders, base)]
    return _shortened("/".join(parts), _LONGEST_PATH)


def _shortened(text: str, limit: int) -> str:
    data = os.fsencode(text)
    if len(data) <= limit:
        return text
    return f"{hashlib.sha256(data).hexdigest()[:32]}.{text.rpartition('.')[2][-5:]}".replace("/", "_")


def _unused(name: str, shard: str, used: set[bytes]) -> str:
    """Add a name to the used ones and return it, with its tar's name as prefix if it was used before.

    ``used`` holds 8-byte hashes, about 60 MB per million names. Two names with the same hash (one in 30
    million for a million names) count as the same name, which does no harm.
    """
    candidate, number = name, 1
    while (digest := hashlib.blake2b(os.fsencode(candidate), digest_size=8).digest()) in used:
        candidate = f"{shard}/{name}" if number == 1 else f"{shard}~{number}/{name}"
        number += 1
    used.add(digest)
    return candidate


def _files(root: Path) -> list[Path]:
    """A folder itself; otherwise one tar of each folder, because an output may lie beside the tars."""
    if folder_of(root) == root:
        return [root]
    return list({path.parent: path for path in find_tars(root)}.values())


WEBDATASET = FaceDataset(
    name="webdataset",
    title="Images in tar shards (webdataset)",
    licence="The terms of the images' authors.",
    expects=(
        "uncompressed .tar files with images, and with .json beside them where there are labels",
        "--root may be a folder, a tar, or a pattern such as 'shards/*.tar' or 'shards/{000000..000012}.tar'",
    ),
    holds=holds_tars,
    samples=samples,
    files=_files,
)
