"""List the image files below a folder, in the byte order of their paths."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from maskgen.errors import AnnotationError, MissingDataError
from maskgen.files.path_text import to_text
from maskgen.files.remote import Entry, entries, is_remote, names_in
from maskgen.files.safe_paths import follows_links, is_below, leaving_link
from maskgen.files.suffixes import is_archive_name, is_image_name
from maskgen.files.system_files import is_system_name

log = logging.getLogger("maskgen")

# How many names of a folder `archive_hint` examines, and how many archives it names.
_EXAMINED, _NAMED = 10_000, 3


def images(
    root: Path, is_wanted: Callable[[str], bool] = is_image_name, *, follow_links: bool = False
) -> Iterator[str]:
    """Every file below ``root`` with the suffix of an image, as a path relative to it with ``/``.

    Only the name counts: a broken link or a pipe named ``.jpg`` is an input too, and its reader reports it;
    so is a folder with a path that is too long to open. A linked folder is walked unless it contains the
    link. Files and folders of `maskgen.files.system_files` are skipped.

    Args:
        root: A local or remote folder.
        is_wanted: Decides by its name whether a file is listed.
        follow_links: Allow links that lead out of ``root``, as in a block of
            `maskgen.files.safe_paths.following_links`.

    Raises:
        MissingDataError: ``root`` or a folder below it is absent or cannot be listed.
        AnnotationError: A link leads out of ``root`` and is not allowed.
    """
    if is_remote(root):
        yield from _remote_images(root, is_wanted)
        return
    real_root = os.path.realpath(root)
    fence = None if follow_links or follows_links() else real_root
    open_folders = [(real_root, "", iter(_names(root, "", fence, is_wanted)))]
    while open_folders:
        real, below, names = open_folders[-1]
        name = next(names, None)
        if name is None:
            open_folders.pop()
            continue
        relative = below + os.fsdecode(name)
        if not name.endswith(b"/"):
            yield relative
            continue
        is_link = os.path.islink(root / relative)  # noqa: PTH114
        real = os.path.realpath(root / relative) if is_link else f"{real}/{os.fsdecode(name[:-1])}"
        if any(real == ancestor for ancestor, _, _ in open_folders):
            log.info("%s: the link leads back to a folder above it and is not followed", to_text(relative))
            continue
        try:
            open_folders.append((real, relative, iter(_names(root, relative, fence, is_wanted))))
        except _PathTooLongError:
            yield relative.rstrip("/")


class _PathTooLongError(Exception):
    """The path of a folder is too long for the system."""


def _names(root: Path, below: str, fence: str | None, is_wanted: Callable[[str], bool]) -> list[bytes]:
    """Sorted names of the wanted files and, with a trailing ``/``, of the folders in ``root/below``.

    Args:
        root: The root of the walk.
        below: The folder, relative to it.
        fence: The folder that links must not leave; None allows any link.
        is_wanted: As for `images`.
    """
    names = []
    try:
        with os.scandir(root / below) as scan:
            for entry in scan:
                is_link = entry.is_symlink()
                # `DirEntry.is_dir` raises for a link to itself.
                is_folder = os.path.isdir(entry.path) if is_link else entry.is_dir()  # noqa: PTH112
                if not (is_folder or is_wanted(entry.name)) or is_system_name(entry.name):
                    continue
                if is_link and fence and not is_below(target := os.path.realpath(entry.path), fence):
                    raise leaving_link(root, below + entry.name, target)
                names.append(os.fsencode(entry.name) + (b"/" if is_folder else b""))
    except OSError as error:
        if below and error.errno == errno.ENAMETOOLONG:
            raise _PathTooLongError from error
        raise MissingDataError(f"{to_text(str(root / below))}: cannot list it: {error.strerror}") from error
    return sorted(names)


def _remote_images(root: Path, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    """`images` for an object store; only stores that wrap another file system have links."""
    pending = [b"/"]
    while pending:
        relative = os.fsdecode(pending.pop()).removeprefix("/")
        if relative and not relative.endswith("/"):
            yield relative
            continue
        folder = root / relative if relative else root
        try:
            wanted = [entry for entry in entries(folder) if _is_listed(entry, is_wanted)]
        except OSError as error:
            raise MissingDataError(f"{folder}: cannot list it: {error.strerror or repr(error)}") from error
        if links := [entry.name for entry in wanted if entry.is_link]:
            raise AnnotationError(
                f"{root}: {relative}{links[0]} is a link; a root that is a URL must hold none"
            )
        names = (os.fsencode(relative + entry.name) + (b"/" if entry.is_folder else b"") for entry in wanted)
        pending += sorted(names, reverse=True)


def _is_listed(entry: Entry, is_wanted: Callable[[str], bool]) -> bool:
    return (entry.is_folder or is_wanted(entry.name)) and not is_system_name(entry.name)


def archive_hint(root: Path) -> str:
    """A hint that names the archives in a folder without images; empty if there are none.

    Args:
        root: The folder, or an archive given as the folder.
    """
    if is_remote(root) or not os.path.isdir(root):  # noqa: PTH112
        archives = [root.name] if is_archive_name(root.name) else []
        return _hint(archives, "; unpack it and give the folder")
    names = (name for name in islice(names_in(root), _EXAMINED) if not is_system_name(name))
    return _hint(sorted(filter(is_archive_name, names)), f" in {root}; unpack it there first")


def _hint(names: Sequence[str], advice: str) -> str:
    if not names:
        return ""
    listing = ", ".join(map(to_text, names[:_NAMED])) + (" ..." if len(names) > _NAMED else "")
    tars = any(".tar" in name.lower() for name in names)
    tip = " (--dataset webdataset reads an uncompressed .tar as it is)" if tars else ""
    return f"{listing} {'is an archive' if len(names) == 1 else 'are archives'}{advice}{tip}"
