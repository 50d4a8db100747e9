"""Finds a dataset's label files and folders by name near its root: copies nest them in different folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from maskgen.files.remote import entries, is_remote
from maskgen.files.safe_paths import contained
from maskgen.files.system_files import is_system_name

# Folders below the root that are looked into, one in another.
DEPTH = 3
# A folder with more entries holds images, one with more subfolders holds people or events. The subfolders of
# neither are looked into.
MOST_ENTRIES, MOST_FOLDERS = 1000, 40


def folders_near(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The folders near the root, the nearest first: (path below the root, names of what lies in it).

    The root is ``""``; every other path ends with ``/``. Of a large folder, only some names are listed.
    """
    level = [""]
    for _ in range(DEPTH + 1):
        inner: list[str] = []
        for folder in level:
            names, folders = _listed(root, folder)
            yield folder, names
            if len(names) <= MOST_ENTRIES and len(folders) <= MOST_FOLDERS:
                inner += [f"{folder}{name}/" for name in folders]
        level = inner


def _listed(root: Path, folder: str) -> tuple[list[str], list[str]]:
    """Names of the entries, and of the folders among them, in byte order; none if it cannot be listed."""
    try:
        if is_remote(root):
            found = [(entry.name, entry.is_folder) for entry in entries(root / folder if folder else root)]
        else:
            with os.scandir(root / folder) as scan:
                found = [(entry.name, entry.is_dir()) for entry in islice(scan, MOST_ENTRIES + 1)]
    except OSError:
        return [], []
    found = [entry for entry in found if not is_system_name(entry[0])]
    found.sort(key=lambda entry: os.fsencode(entry[0]))
    return [name for name, _ in found], [name for name, is_folder in found if is_folder]


def find_label_files(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Those of the files that are there, by name: of several with one name the nearest to the root.

    Raises:
        AnnotationError: A file is a link out of the root.
    """
    wanted, found = list(dict.fromkeys(names)), dict[str, Path]()
    for folder, listed in folders_near(root):
        complete = len(listed) <= MOST_ENTRIES or is_remote(root)
        for name in wanted:
            if (
                name not in found
                and (name in listed or not complete)
                and (root / f"{folder}{name}").is_file()
            ):
                found[name] = root / contained(root, f"{folder}{name}", "annotation file")
        if len(found) == len(wanted):
            break
    return found


def label_files_below(root: Path, names: Iterable[str]) -> list[Path]:
    """Those of the files that are there, relative to the root, in the order of the names."""
    names = list(names)
    found = find_label_files(root, names)
    return [found[name].relative_to(root) for name in names if name in found]


def holds_name(root: Path, names: Iterable[str]) -> bool:
    """Whether a file or folder near the root has one of the names."""
    wanted = set(names)
    return any(wanted.intersection(listed) for _, listed in folders_near(root))
