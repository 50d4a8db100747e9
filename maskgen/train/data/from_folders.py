"""Examples from a plain tree: ``Training/male/1.jpg``, ``val/female/2.png``, or just ``CLASS/3.jpg``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from maskgen.errors import MissingDataError, UsageError
from maskgen.files.image_files import archive_hint, images
from maskgen.files.path_text import to_text
from maskgen.records import split_of
from maskgen.train.data.examples import Dropped, Example, Wanted, space_of

log = logging.getLogger("maskgen")


def from_folders(root: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    """Every image below a folder; the folders it lies in say its split and its class.

    The class is the folder below the one that names a split; without such a folder it is the first one that
    has others beside it. Nothing says whether a face is masked, or whose it is.

    Raises:
        MissingDataError: The folder is not there, or holds no images.
        UsageError: A label was asked for that a tree cannot have.
    """
    if wanted.label not in (None, "folder", "label"):
        raise UsageError(f"{root} is a plain tree: its folders are its labels, it has no {wanted.label!r}")
    if not root.is_dir():
        hint = archive_hint(root)
        raise MissingDataError(
            hint or f"{root}: neither a folder that `maskgen synth` wrote nor a tree of images"
        )
    if wanted.which != "masked":
        log.warning(
            "%s is a plain tree: nothing says which faces are masked, so that --%s takes all",
            root,
            wanted.which,
        )
    # Nothing of them is published, so that links may lead anywhere.
    files = [tuple(relative.split("/")) for relative in images(root, follow_links=True)]
    if not files:
        missing = f"{root}: no images below it, and no manifest.jsonl in it"
        raise MissingDataError(f"{missing}. {archive_hint(root)}".rstrip(". "))
    shared = _shared_folders(files)
    for parts in files:
        name = to_text(f"{root.name}/{'/'.join(parts)}")
        split, label = _split_and_class(parts[:-1], shared)
        if label is None:
            yield Dropped(name, "no label", "it lies in no folder of a class", split, str(root))
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
    """How many folders all images have in common, as in an archive's own folder around everything."""
    first = files[0][:-1]
    count = 0
    while count < len(first) and all(
        parts[count] == first[count] for parts in files if len(parts) > count + 1
    ):
        count += 1
    # A tree of one class is no reason to take the images' own folder for the archive's.
    return min(count, max(len(first) - 1, 0))


def _split_and_class(folders: tuple[str, ...], shared: int) -> tuple[str | None, str | None]:
    for place, folder in enumerate(folders):
        if split := split_of(folder):
            return split, folders[place + 1] if len(folders) > place + 1 else None
    return None, folders[shared] if len(folders) > shared else None
