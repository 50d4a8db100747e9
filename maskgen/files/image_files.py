"""List the image files below a folder, in the byte order of their paths."""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from maskgen.errors import AnnotationError, MissingDataError
from maskgen.files.path_text import to_text
from maskgen.files.remote import entries, is_remote, names_in
from maskgen.files.safe_paths import follows_links, is_below, leaving_link
from maskgen.files.suffixes import is_archive_name, is_image_name
from maskgen.files.system_files import is_system_name

log = logging.getLogger("maskgen")

_EXAMINED, _NAMED = 10_000, 3  # names of a folder that `archive_hint` examines, and archives that it names


def images(
    root: Path, is_wanted: Callable[[str], bool] = is_image_name, *, follow_links: bool = False
) -> Iterator[str]:
    """Every file below ``root`` with the suffix of an image, as a path relative to it with ``/``.

    Only the name counts: a broken link or a pipe named ``.jpg`` is an input too, and its reader reports it;
    so is a folder with a path that is too long. A linked folder is walked unless it contains the link; an
    `AnnotationError` if it leads out of the root without ``follow_links`` or `following_links`. A
    `MissingDataError` if a folder cannot be listed.
    """
    real_root = "" if is_remote(root) else os.path.realpath(root)
    fence = None if follow_links or follows_links() else real_root
    open_folders = [(real_root, "", iter(_sorted_names(root, "", fence, is_wanted) or ()))]
    while open_folders:
        real, below, names = open_folders[-1]
        if (name := next(names, None)) is None:
            open_folders.pop()
            continue
        relative = below + os.fsdecode(name)
        if not name.endswith(b"/"):
            yield relative
            continue
        is_link = not is_remote(root) and os.path.islink(root / relative)  # noqa: PTH114
        real = os.path.realpath(root / relative) if is_link else f"{real}/{os.fsdecode(name[:-1])}"
        if any(real == ancestor for ancestor, _, _ in open_folders):
            log.info("%s: the link leads back to a folder above it and is not followed", to_text(relative))
            continue
        if (inner := _sorted_names(root, relative, fence, is_wanted)) is None:
            yield relative.rstrip("/")
        else:
            open_folders.append((real, relative, iter(inner)))


def _sorted_names(
    root: Path, below: str, fence: str | None, is_wanted: Callable[[str], bool]
) -> list[bytes] | None:
    """Wanted files, and folders with a ``/``; links stay in ``fence``. None if the path is too long."""
    folder = root / below if below else root
    names = []
    try:
        for name, is_folder, is_link in entries(folder):
            if not (is_folder or is_wanted(name)) or is_system_name(name):
                continue
            if is_link and is_remote(root):  # in a store that wraps another file system
                raise AnnotationError(f"{root}: {below}{name} is a link; a root that is a URL must hold none")
            if is_link and fence and not is_below(target := os.path.realpath(folder / name), fence):
                raise leaving_link(root, below + name, target)
            names.append(os.fsencode(name) + (b"/" if is_folder else b""))
    except OSError as error:
        if below and error.errno == errno.ENAMETOOLONG:
            return None
        reason = error.strerror or repr(error)
        raise MissingDataError(f"{to_text(str(folder))}: cannot list it: {reason}") from error
    return sorted(names)


def archive_hint(root: Path) -> str:
    """A hint that names the archives in a folder without images, or a root that is one; else empty."""
    names, advice = [root.name], "; unpack it and give the folder"
    if not is_remote(root) and os.path.isdir(root):  # noqa: PTH112
        names, advice = sorted(islice(names_in(root), _EXAMINED)), f" in {root}; unpack it there first"
    archives = [name for name in names if is_archive_name(name) and not is_system_name(name)]
    if not archives:
        return ""
    listing = ", ".join(map(to_text, archives[:_NAMED])) + (" ..." if len(archives) > _NAMED else "")
    tars = any(".tar" in name.lower() for name in archives)
    tip = " (--dataset webdataset reads an uncompressed .tar as it is)" if tars else ""
    return f"{listing} {'is an archive' if len(archives) == 1 else 'are archives'}{advice}{tip}"
