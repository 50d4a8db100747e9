"""Search for a dataset's label files and folders by name near its root; copies nest them differently."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from maskgen.files.remote import entries, is_remote
from maskgen.files.safe_paths import contained
from maskgen.files.system_files import is_system_name

DEPTH = 3  # of the search, below the root
# A folder with more entries contains images, one with more subfolders contains people or events; the search
# skips their subfolders.
MOST_ENTRIES, MOST_FOLDERS = 1000, 40


def folders_near(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The folders near the root, the nearest first: (path below the root, sorted names of the entries).

    The path of the root is ``""``; every other path ends with ``/``. Large local folders are listed in part,
    an unreadable folder is empty.
    """
    most = None if is_remote(root) else MOST_ENTRIES + 1
    level = [""]
    for _ in range(DEPTH + 1):
        inner: list[str] = []
        for folder in level:
            try:
                listed = list(islice(entries(root / folder if folder else root), most))
            except OSError:
                listed = []
            listed = sorted(
                (entry for entry in listed if not is_system_name(entry.name)),
                key=lambda entry: os.fsencode(entry.name),
            )
            yield folder, [entry.name for entry in listed]
            folders = [f"{folder}{entry.name}/" for entry in listed if entry.is_folder]
            if len(listed) <= MOST_ENTRIES and len(folders) <= MOST_FOLDERS:
                inner += folders
        level = inner


def find_label_files(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Find label files, in the order of the names; of several with one name, the nearest to the root."""
    wanted, files = list(dict.fromkeys(names)), dict[str, Path]()
    for folder, listed in folders_near(root):
        is_complete = len(listed) <= MOST_ENTRIES or is_remote(root)
        for name in wanted:
            is_possible = name not in files and (name in listed or not is_complete)
            if is_possible and (root / f"{folder}{name}").is_file():
                files[name] = root / contained(root, f"{folder}{name}", "annotation file")
        if len(files) == len(wanted):
            break
    return {name: files[name] for name in wanted if name in files}


def label_files_below(root: Path, names: Iterable[str]) -> list[Path]:
    """The existing label files, relative to the root, in the order of the names."""
    return [path.relative_to(root) for path in find_label_files(root, names).values()]


def holds_name(root: Path, names: Iterable[str], pattern: re.Pattern[str] | None = None) -> bool:
    """Whether a file or folder near the root has one of the names, or a name of the pattern."""
    wanted, listed = set(names), (name for _, inside in folders_near(root) for name in inside)
    return any(name in wanted or (pattern and pattern.fullmatch(name)) for name in listed)
