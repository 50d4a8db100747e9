"""Lists the pictures below a folder: in the byte order of their paths, one folder's names at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maskgen.errors import AnnotationError, MissingDataError
from maskgen.names import text_of
from maskgen.paths import is_below
from maskgen.records import Box, Sample
from maskgen.stores import entries, is_remote

IMAGE_SUFFIXES = frozenset(("jpg", "jpeg", "jpe", "png", "webp", "bmp", "tif", "tiff", "gif", "ppm", "pgm"))

log = logging.getLogger("maskgen")


def tail(path: str) -> str:
    """The last two parts of a path: what copies of a dataset agree on, whatever they put before."""
    return "/".join(path.split("/")[-2:])


def sample_at(
    root: Path,
    relative: str,
    known: Mapping[str, Any] | None = None,
    *,
    split: str | None = None,
    identity: str | None = None,
    boxes: tuple[Box, ...] = (),
) -> Sample:
    """The sample whose picture is at ``relative`` below ``root``.

    ``known`` is what a label says: ``split``, ``identity`` and ``note`` go where a `Sample` has them,
    everything else into its attributes, without what is None.
    """
    attributes = dict(known or ())
    if None in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value is not None}
    split, identity = attributes.pop("split", split), attributes.pop("identity", identity)
    return Sample(
        id=text_of(relative),
        path=root / relative,
        relative=relative,
        split=split,
        identity=None if identity is None else text_of(identity),
        boxes=boxes,
        note=attributes.pop("note", None),
        attributes=attributes,
    )


def images(root: Path, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> Iterator[str]:
    """Every file below ``root`` whose name ends like a picture's, as a path relative to it with ``/``.

    Files are told by their names alone: a broken link or a pipe named ``.jpg`` is an input too, and
    whoever opens it reports it. Folders reached by a link are walked unless they contain the link.

    Raises:
        MissingDataError: ``root`` or a folder below it is not there or cannot be listed.
        AnnotationError: A picture or folder is a link to somewhere outside ``root``.
    """
    if is_remote(root):
        yield from _remote_images(root)
        return
    real_root = os.path.realpath(root)
    open_folders = [(real_root, iter(_entries(root, "", real_root, suffixes)))]
    below = [""]
    while open_folders:
        real, entries = open_folders[-1]
        entry = next(entries, None)
        if entry is None:
            open_folders.pop()
            below.pop()
            continue
        relative = below[-1] + os.fsdecode(entry)
        if not entry.endswith(b"/"):
            yield relative
            continue
        is_link = (root / relative).is_symlink()
        real = os.path.realpath(root / relative) if is_link else f"{real}/{os.fsdecode(entry[:-1])}"
        if any(real == ancestor for ancestor, _ in open_folders):
            log.info("%s: the link leads back to a folder above it and is not followed", text_of(relative))
            continue
        open_folders.append((real, iter(_entries(root, relative, real_root, suffixes))))
        below.append(relative)


def _entries(root: Path, below: str, real_root: str, suffixes: frozenset[str]) -> list[bytes]:
    """Names of the pictures and, with a ``/`` behind, of the folders in ``root/below``; in path order."""
    names = []
    try:
        with os.scandir(root / below) as scan:
            for entry in scan:
                is_link = entry.is_symlink()
                is_folder = Path(entry.path).is_dir() if is_link else entry.is_dir()
                _, dot, suffix = entry.name.rpartition(".")
                if not is_folder and not (dot and suffix.lower() in suffixes):
                    continue
                if is_link and not is_below(target := os.path.realpath(entry.path), real_root):
                    raise AnnotationError(
                        f"{text_of(below + entry.name)} is a link out of {root}, to {text_of(target)}; "
                        "copy the files there, or give the folder they are in as the root"
                    )
                names.append(os.fsencode(entry.name) + (b"/" if is_folder else b""))
    except OSError as error:
        raise MissingDataError(f"{text_of(str(root / below))}: cannot list it: {error.strerror}") from error
    return sorted(names)


def _remote_images(root: Path, below: str = "") -> Iterator[str]:
    """What `images` yields, from a store; only those that stand for another file system know links."""
    names, folder = [], root / below if below else root
    try:
        for entry in entries(folder):
            _, dot, suffix = entry.name.rpartition(".")
            if not entry.is_folder and not (dot and suffix.lower() in IMAGE_SUFFIXES):
                continue
            if entry.is_link:
                raise AnnotationError(
                    f"{root}: {below + entry.name} is a link; a root that is a URL must hold none"
                )
            names.append(os.fsencode(entry.name) + (b"/" if entry.is_folder else b""))
    except OSError as error:
        raise MissingDataError(f"{folder}: cannot list it: {error.strerror or repr(error)}") from error
    for name in sorted(names):
        relative = below + os.fsdecode(name)
        if name.endswith(b"/"):
            yield from _remote_images(root, relative)
        else:
            yield relative
