"""Label files near a root, which copies nest differently, and samples of the images below it."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from maskgen.files.image_files import images
from maskgen.files.path_text import to_text
from maskgen.files.remote import Entry, entries, is_remote
from maskgen.files.safe_paths import contained
from maskgen.files.system_files import is_system_name
from maskgen.records import Box, Sample

__all__ = ["find_label_files", "holds_name", "images", "label_paths", "labelled_by_path", "sample_at", "tail"]

DEPTH = 3  # of the search for label files, below the root
# A folder with more entries contains images, one with more subfolders contains people or events; the search
# skips their subfolders.
MOST_ENTRIES, MOST_FOLDERS = 1000, 40


def folders_near(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The folders near the root, the nearest first: (path below the root, sorted names of the entries).

    A path is empty or ends with ``/``. Large local folders are listed in part, an unreadable one is empty.
    """
    most = None if is_remote(root) else MOST_ENTRIES + 1
    level = [""]
    for _ in range(DEPTH + 1):
        inner: list[str] = []
        for folder in level:
            listed: list[Entry] = []
            with suppress(OSError):
                listed = list(islice(entries(root / folder if folder else root), most))
            listed = [entry for entry in listed if not is_system_name(entry.name)]
            listed.sort(key=lambda entry: os.fsencode(entry.name))
            yield folder, [entry.name for entry in listed]
            folders = [f"{folder}{entry.name}/" for entry in listed if entry.is_folder]
            if len(listed) <= MOST_ENTRIES and len(folders) <= MOST_FOLDERS:
                inner += folders
        level = inner


def find_label_files(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Find label files, in the order of the names; of several with one name, the nearest to the root."""
    files: dict[str, Path | None] = dict.fromkeys(names)
    for folder, listed in folders_near(root):
        is_complete = len(listed) <= MOST_ENTRIES or is_remote(root)
        for name in [name for name, path in files.items() if path is None]:
            if (name in listed or not is_complete) and (root / f"{folder}{name}").is_file():
                files[name] = root / contained(root, f"{folder}{name}", "annotation file")
        if all(files.values()):
            break
    return {name: path for name, path in files.items() if path}


def label_paths(root: Path, names: Iterable[str]) -> list[Path]:
    """The existing label files, relative to the root, in the order of the names."""
    return [path.relative_to(root) for path in find_label_files(root, names).values()]


def holds_name(root: Path, names: Iterable[str], pattern: re.Pattern[str] | None = None) -> bool:
    """Whether a file or folder near the root has one of the names, or a name of the pattern."""
    wanted, listed = set(names), (name for _, inside in folders_near(root) for name in inside)
    return any(name in wanted or (pattern and pattern.fullmatch(name)) for name in listed)


def tail(path: str) -> str:
    """The last two parts of a path, which are the same in all copies of a dataset."""
    return "/".join(path.split("/")[-2:])


def sample_at(
    root: Path, relative: str, labels: Mapping[str, Any] | None = None, boxes: tuple[Box, ...] = ()
) -> Sample:
    """The sample of an image; labels that are None are dropped, those that are no field become attributes."""
    attributes = {name: value for name, value in (labels or {}).items() if value is not None}
    split, identity, note = (attributes.pop(name, None) for name in ("split", "identity", "note"))
    identity = None if identity is None else to_text(identity)
    return Sample(to_text(relative), root / relative, relative, split, identity, attributes, boxes, note)


def labelled_by_path(
    labels: Callable[[str], Mapping[str, Any]], paths: Callable[[Path], Iterable[str]] = images
) -> Callable[[Path], Iterator[Sample]]:
    """A `FaceDataset.samples`: every image below a root, with labels from its relative path alone."""
    return lambda root: (sample_at(root, relative, labels(relative)) for relative in paths(root))
