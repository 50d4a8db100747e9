"""Examples from a folder tree: ``Training/male/1.jpg``, ``val/female/2.png`` or ``CLASS/3.jpg``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from maskgen.errors import MissingDataError, UsageError
from maskgen.files.image_files import archive_hint, images
from maskgen.files.path_text import to_text
from maskgen.records import split_of
from maskgen.train.data.examples import Dropped, Example, Wanted, space_of

log = logging.getLogger("maskgen")


def from_folders(root: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    """Read the split and the class of each image from the names of its folders.

    The class is the folder below a split folder (``train``, ``val``, ...). Without a split folder it is the
    first level that has more than one folder. A tree does not tell who a face is or whether it is masked.
    """
    if wanted.label not in (None, "folder", "label"):
        raise UsageError(f"{root} is a folder tree: its labels are its folders, it has no {wanted.label!r}")
    if not root.is_dir():
        raise MissingDataError(
            archive_hint(root)
            or f"{root}: neither an output folder of `maskgen synth` nor a folder tree of images"
        )
    if wanted.which != "masked":
        problem = "nothing says which faces are masked"
        log.warning("%s is a folder tree: %s; --%s uses all images", root, problem, wanted.which)
    # The images are not published: links may point anywhere.
    files = [tuple(relative.split("/")) for relative in images(root, follow_links=True)]
    if not files:
        missing = f"{root}: contains no images and no manifest.jsonl"
        raise MissingDataError(f"{missing}. {archive_hint(root)}".rstrip(". "))
    shared = _shared_folders(files)
    for parts in files:
        name = to_text(f"{root.name}/{'/'.join(parts)}")
        split, label = _split_and_class(parts[:-1], shared)
        if label is None:
            yield Dropped(name, "no label", "it is in no class folder", split, str(root))
            continue
        yield Example(
            id=name,
            path=root.joinpath(*parts),
            label=to_text(label),
            data=str(root),
            split=split,
            source=to_text(f"{space_of(root)}: {'/'.join(parts)}"),
            attributes={"folder": to_text(label)},
        )


def _shared_folders(files: list[tuple[str, ...]]) -> int:
    """Number of leading folders that all images share, such as the top folder of an archive."""
    first = files[0][:-1]
    shares = (
        len({parts[level] for parts in files if len(parts) > level + 1}) == 1 for level in range(len(first))
    )
    # In a tree of one class, the folder of the images is the class and not a shared folder.
    return min(sum(takewhile(bool, shares)), max(len(first) - 1, 0))


def _split_and_class(folders: tuple[str, ...], shared: int) -> tuple[str | None, str | None]:
    for place, folder in enumerate(folders):
        if split := split_of(folder):
            return split, folders[place + 1] if len(folders) > place + 1 else None
    return None, folders[shared] if len(folders) > shared else None
