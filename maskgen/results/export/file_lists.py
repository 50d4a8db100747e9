"""Write the image lists of each split, and label files without overwriting."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO

from maskgen.errors import AnnotationError
from maskgen.files.atomic import make_folders
from maskgen.files.path_text import from_text
from maskgen.results.export.shapes import AnnotatedImage


class ImageLists(ExitStack):
    """The image lists in a folder, one file a split; `files` has those that are open."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.files: dict[str, IO[bytes]] = {}

    def add(self, image: AnnotatedImage, line: str) -> None:
        """Add an image to the list of its split."""
        if len(line.splitlines()) != 1:
            raise AnnotationError(f"{image.file_name!r} has a line's end in its name; take coco")
        split = image.row.split or "all"
        if split not in self.files:
            self.files[split] = self.enter_context((self._folder / f"{split}.txt").open("wb"))
        self.files[split].write(os.fsencode(from_text(line)) + b"\n")


def write_new(folder: Path, place: str, suffix: str, data: bytes) -> None:
    """Write a new file below a folder, with the name of an image; refuse an existing one."""
    path = folder / from_text(str(PurePosixPath(place).with_suffix(suffix)))
    try:
        make_folders(path.parent)
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise AnnotationError(
            f"{place!r}: another image has this name with another suffix, or the name of a folder, and the "
            "format tells them apart by nothing else; take coco"
        ) from error
    except OSError as error:
        raise AnnotationError(f"{place!r} cannot be a file here: {error.strerror}; take coco") from error
