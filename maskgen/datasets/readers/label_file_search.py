"""Search for a dataset's label files and folders by name near its root; copies nest them differently."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from maskgen.files.remote import entries, is_remote
from maskgen.files.safe_paths import contained
from maskgen.files.system_files import is_system_name

# Depth of the search below the root.
DEPTH = 3
# A folder with more entries contains images, one with more subfolders contains people or events; the search
# skips their subfolders.
MOST_ENTRIES, MOST_FOLDERS = 1000, 40


def folders_near(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The folders near the root, the nearest first: (path below the root, names of the entries).

    The path of the root is ``""``; every other path ends with ``/``. Large folders are listed in part.
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
    """Names of the entries, and of the folders among them, in byte order; empty if a folder is unreadable."""
    try:
        if is_remote(root):
            listing = [(entry.name, entry.is_folder) for entry in entries(root / folder if folder else root)]
        else:
            with os.scandir(root / folder) as scan:
                listing = [(entry.name, entry.is_dir()) for entry in islice(scan, MOST_ENTRIES + 1)]
    except OSError:
        return [], []
    listing = [entry for entry in listing if not is_system_name(entry[0])]
    listing.sort(key=lambda entry: os.fsencode(entry[0]))
    return [name for name, _ in listing], [name for name, is_folder in listing if is_folder]


def find_label_files(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Find label files by name; of several with one name, the nearest to the root is used.

    Raises:
        AnnotationError: A file is a link out of the root.
    """
    wanted, files = list(dict.fromkeys(names)), dict[str, Path]()
    for folder, listed in folders_near(root):
        complete = len(listed) <= MOST_ENTRIES or is_remote(root)
        for name in wanted:
            if (
                name not in files
                and (name in listed or not complete)
                and (root / f"{folder}{name}").is_file()
            ):
                files[name] = root / contained(root, f"{folder}{name}", "annotation file")
        if len(files) == len(wanted):
            break
    return files


def label_files_below(root: Path, names: Iterable[str]) -> list[Path]:
    """The existing label files, relative to the root, in the order of the names."""
    names = list(names)
    files = find_label_files(root, names)
    return [files[name].relative_to(root) for name in names if name in files]


def holds_name(root: Path, names: Iterable[str]) -> bool:
    """Whether a file or folder near the root has one of the names."""
    wanted = set(names)
    return any(wanted.intersection(listed) for _, listed in folders_near(root))
