"""Tar shards in the layout of the webdataset library: members with one name up to the first dot are a group.

The root is a tar, a folder of tars, or a pattern: ``*``, ``?``, ``[...]``, ``**``, ``{a,b}``, ``{000..012}``.
Every image in a tar is a sample. Its id is its name in the tar: a folder packed into tars has the same ids,
random draws and masked images. A name that was used before gets the tar's as prefix: ``000007/0001.jpg``.
"""

import glob
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.folder import folder_attributes
from maskgen.datasets.readers.tar_labels import Labels, labels_of
from maskgen.errors import AnnotationError, MissingDataError, UnreadableImageError, UsageError
from maskgen.files.image_files import images
from maskgen.files.path_text import to_text
from maskgen.files.remote import is_remote
from maskgen.files.safe_paths import refuse_escape
from maskgen.files.suffixes import is_image_name
from maskgen.files.tar import Entry, folder_of, plain_name, scan
from maskgen.records import Member, Sample, split_of

# Most members of a group, and bytes of the largest label file.
_MOST_MEMBERS, _LONGEST_LABEL = 1000, 1 << 20
# Lengths in bytes of a file name and of a path that all file systems support.
_LONGEST_PART, _LONGEST_PATH = 255, 1000
MOST_EXPANDED = 1_000_000

_COMPRESSED = re.compile(r"\.(?:tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst|lz4|Z))$", re.IGNORECASE)
# Braces around texts, or around a range of numbers, without braces inside.
_BRACES = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{},]*(?:,[^{},]*)+))\}")


def find_tars(root: Path) -> list[Path]:
    """The tars of a root, once each, in byte order; an error if one is absent or compressed."""
    return sorted(set(_matching(root)), key=os.fsencode)


def holds_tars(root: Path) -> bool:
    """Whether a root names a tar; the search stops at the first."""
    with suppress(MissingDataError):
        return next(_matching(root), None) is not None
    return False


def _matching(root: Path) -> Iterator[Path]:
    """The tars of a root, in any order; the name of an existing file is not expanded."""
    if is_remote(root):
        raise UsageError(f"tars are read from folders, not from a URL: {root}; mount or copy them first")
    # `Path.exists` raises for a long list in braces, which is too long for a file name.
    is_file = os.path.exists(root)  # noqa: PTH110
    names = iter([glob.escape(str(root))]) if is_file else _expand_braces(str(root))
    patterns = list(islice(names, MOST_EXPANDED + 1))
    if len(patterns) > MOST_EXPANDED:
        raise UsageError(f"{root} stands for more than {MOST_EXPANDED:,} names")
    for pattern in patterns:
        if not (is_pattern := glob.has_magic(pattern)) and not Path(pattern).exists():
            raise MissingDataError(f"{pattern} is not there")
        # `Path.glob` does not accept absolute patterns.
        for name in glob.iglob(pattern, recursive=True) if is_pattern else [pattern]:  # noqa: PTH207
            if (path := Path(name)).is_dir():
                yield from filter(_is_tar, (path / relative for relative in images(path, _is_tar_name)))
            # A file that is named explicitly is read, whatever its suffix.
            elif _is_tar(path) or pattern in (name, glob.escape(name)):
                yield path


def _expand_braces(text: str) -> Iterator[str]:
    if (braces := _BRACES.search(text)) is None:
        yield text
        return
    first, last, texts = braces.groups()
    choices: Iterable[str] = texts.split(",") if texts is not None else ()
    if texts is None:
        numbers = range(int(first), int(last) + 1) or range(int(first), int(last) - 1, -1)
        choices = (f"{number:0{len(first)}}" for number in numbers)
    for choice in choices:
        yield from _expand_braces(text[: braces.start()] + choice + text[braces.end() :])


def _is_tar_name(name: str) -> bool:
    # Compressed tars are an error: skipping them silently would lose their images.
    return name.lower().endswith(".tar") or bool(_COMPRESSED.search(name))


def _is_tar(path: Path) -> bool:
    if _COMPRESSED.search(path.name):
        reason = "images are read by their place in a tar; uncompress it first, for example with `gunzip`"
        raise UsageError(f"{path} is compressed, and {reason}")
    return path.suffix.lower() == ".tar"


def samples(root: Path) -> Iterator[Sample]:
    """Every image in the tars, in their order; after a damaged tar, one more sample with the error."""
    used, folder = set[bytes](), folder_of(root)
    for path in find_tars(root):
        archive = path.relative_to(folder).as_posix()
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
                raise UnreadableImageError("a pipe, socket or device, not a tar")
            with path.open("rb") as file:
                for key, image_entries, label_files in _groups(file):
                    for entry in image_entries:
                        if (labels := labels_of(plain_name(entry.name), key, label_files)) is not None:
                            yield _sample(entry, labels, path, archive, status.st_size, used)
        except (UnreadableImageError, OSError) as error:
            relative = _unused(archive, archive, used)
            refusal = getattr(error, "strerror", None) or str(error)
            yield Sample(to_text(relative), path, relative, member=Member(archive, "", refusal=refusal))


def _groups(file: BinaryIO) -> Iterator[tuple[str, list[Entry], dict[str, bytes | None]]]:
    """Key, images and label files of consecutive members with one key, their name up to the first dot."""
    key, image_entries, label_files = "", list[Entry](), dict[str, bytes | None]()
    damage = None
    try:
        for entry in scan(file):
            name = plain_name(entry.name)
            folder, slash, base = name.rpartition("/")
            own_key = folder + slash + base.partition(".")[0]
            if own_key != key or len(image_entries) + len(label_files) >= _MOST_MEMBERS:
                yield key, image_entries, label_files
                key, image_entries, label_files = own_key, [], {}
            if is_image_name(base) and entry.kind != "folder":
                image_entries.append(entry)
            elif base.lower().endswith((".json", ".cls")) and entry.kind == "file":
                file.seek(entry.offset)
                label_files[name] = file.read(entry.size) if entry.size <= _LONGEST_LABEL else None
    except UnreadableImageError as error:
        damage = error
    yield key, image_entries, label_files
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

    ``used`` holds 8-byte hashes, about 60 MB per million names. Names of equal hash count as the same name.
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
