"""Read images inside uncompressed tars, without unpacking: `scan` finds members, `read_member` reads one."""

import errno
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from maskgen.errors import UnreadableImageError
from maskgen.files.remote import is_remote
from maskgen.files.system_files import is_system_name
from maskgen.limits import MAX_BYTES
from maskgen.records import Sample

BLOCK = 512
# `tarfile` reads long names and PAX records whole, and a damaged one may claim any length.
_LONGEST_HEADER = 1 << 20
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ", "xz", "unxz"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
)
# Exceptions of `tarfile` for damaged headers, including its own.
_DAMAGE = (tarfile.TarError, ValueError, OverflowError, RecursionError, LookupError, AttributeError, EOFError)


class Entry(NamedTuple):
    """One member of a tar."""

    name: str  # bytes that are not UTF-8 as surrogates
    offset: int  # of its bytes in the tar
    size: int  # in bytes
    kind: str  # "file", "folder", or a description of another type


class _Headers:
    """A file that refuses to read more at once than a header may hold."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)


def scan(file: BinaryIO) -> Iterator[Entry]:
    """The members of an open tar, in order, by its headers alone; those of `system_files` are skipped.

    An `UnreadableImageError` if it is no uncompressed tar, or damaged or truncated after the yielded members.
    """
    begin = file.read(8)
    for signature, kind, program in _COMPRESSED:
        if begin.startswith(signature):
            raise UnreadableImageError(f"a tar compressed with {kind}: unpack it with `{program}` first")
    file.seek(0)
    damaged, offset = "a damaged tar, or one that was cut short: it", -1
    try:
        headers: Any = _Headers(file)
        tar = tarfile.TarFile(fileobj=headers, encoding="utf-8", errors="surrogateescape")
        while (info := tar.next()) is not None:
            # A damaged size may be negative and lead back.
            if tar.offset <= offset:
                raise tarfile.ReadError("a member of a negative size")
            offset = tar.offset
            tar.members.clear()  # type: ignore[attr-defined]
            if not any(map(is_system_name, info.name.split("/"))):
                yield Entry(info.name, info.offset_data, info.size, _kind(info))
        offset = tar.offset
    except _DAMAGE as error:
        where = "" if offset < 0 else f" on behind {offset} bytes"
        raise UnreadableImageError(f"{damaged} cannot be read{where}: {error}") from error
    file.seek(offset)
    if (end := file.read(BLOCK)) != bytes(BLOCK):  # `tarfile` treats any invalid header as the end
        what = "is damaged there" if end else "has no end mark"
        raise UnreadableImageError(f"{damaged} {what}, behind {offset} bytes")


def _kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return f"a link to {info.linkname!r}, which is not followed"
    if info.issparse():
        return "a sparse file, which is not read"
    return "file" if info.isreg() else "folder" if info.isdir() else "a pipe or device"


def read_member(sample: Sample) -> bytes:
    """The bytes of a sample in a tar; refuses a member with a ``refusal``, and a tar that has changed."""
    if (member := sample.member) is None or member.refusal:
        raise UnreadableImageError(member.refusal or "" if member else "not in a tar")
    if member.size > MAX_BYTES:
        raise UnreadableImageError(f"a member of {member.size} bytes, more than {MAX_BYTES}")
    with sample.path.open("rb") as file:
        if file.seek(0, 2) != member.archive_size:
            raise UnreadableImageError(f"{member.archive} has changed since it was listed")
        file.seek(member.offset)
        data = file.read(member.size)
    if len(data) != member.size:
        raise UnreadableImageError(f"{member.archive} is cut short: {len(data)} bytes of {member.size}")
    return data


def folder_of(root: Path) -> Path:
    """The folder of a root: itself, or that of a file or pattern; a URL stays unchanged."""
    if is_remote(root):
        return root
    # `Path.is_dir` raises for an overlong pattern.
    while not os.path.isdir(root) and root != root.parent:  # noqa: PTH112
        root = root.parent
    return root


def plain_name(name: str) -> str:
    """A member's name without the leading ``./`` of some programs."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def read_sample(sample: Sample) -> bytes:
    """The bytes of a sample's image, or an `UnreadableImageError` with the reason for its row.

    An `OSError` means that the machine has no memory or file descriptors left.
    """
    try:
        return read_member(sample) if sample.member else read_file(sample.path)
    except FileNotFoundError as error:
        raise UnreadableImageError("file not found") from error
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            raise
        raise UnreadableImageError(error.strerror or str(error)) from error


def read_file(path: Path) -> bytes:
    """The bytes of an image's file, as `read_sample` reads it."""
    info = path.stat()
    if not stat.S_ISREG(info.st_mode):  # opening a pipe would block
        raise UnreadableImageError("a folder" if stat.S_ISDIR(info.st_mode) else "a pipe, socket or device")
    if info.st_size > MAX_BYTES:
        raise UnreadableImageError(f"a file of {info.st_size} bytes, more than {MAX_BYTES}")
    return path.read_bytes()
