"""The images that a list names, as `find` prints it: ``--files-from``.

Of a plain folder the list itself says what the inputs are, be they there or not, and nothing is walked. Of
any other dataset it chooses from what the dataset has, with all that is known of it.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.folder import FOLDER, told_by_folders
from maskgen.datasets.readers.samples import sample_at
from maskgen.errors import AnnotationError, MissingDataError, UsageError
from maskgen.files.path_text import to_text
from maskgen.files.remote import is_remote
from maskgen.files.safe_paths import contained, refuse_escape
from maskgen.files.text_files import decode_text
from maskgen.records import Sample


def read_list(data: bytes, root: Path, *, null: bool = False) -> tuple[str, ...]:
    """The paths in a list, relative to the root, each once and in the order of their bytes.

    Args:
        data: One path a line, in the bytes of the file system or in UTF-16; lines end in LF or CRLF, and
            empty ones are passed over.
        root: The folder they lie below; they are relative to it, or absolute, or relative to the folder
            that we are in, as `find ROOT` prints them.
        null: Paths end in NUL instead, so that they may hold line ends.

    Raises:
        UsageError: The list names nothing, or something outside of the root.
    """
    above = _folder_above(root)
    if not null:
        data = _without_mark(data)
    parts = data.split(b"\0") if null else data.replace(b"\r\n", b"\n").split(b"\n")
    names = {_relative(os.fsdecode(part), root, above) for part in parts if part}
    if not names:
        raise UsageError("--files-from names no image")
    return tuple(sorted(names, key=os.fsencode))


def _without_mark(data: bytes) -> bytes:
    """The list as the file system writes names: without byte order mark, and not in UTF-16."""
    if b"\0" not in data:
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return os.fsencode(decode_text(data))
    except ValueError as error:
        raise UsageError(f"--files-from: {error} A list whose names end in NUL needs -0.") from error


def _folder_above(root: Path) -> str | None:
    """The root as the absolute path in front of what lies below it; None in a store."""
    return None if is_remote(root) else os.path.join(os.path.abspath(root), "")  # noqa: PTH100, PTH118


def _relative(name: str, root: Path, above: str | None) -> str:
    path = os.path.normpath(name)
    # `find photos` with --root photos gives paths from where we are.
    if above is not None and (whole := os.path.abspath(path)).startswith(above):  # noqa: PTH100
        path = whole.removeprefix(above)
    try:
        relative = refuse_escape(path, "--files-from").replace(os.sep, "/")
        return contained(root if above is None else Path(above), relative, "--files-from")
    except AnnotationError as error:
        raise UsageError(f"{error} (--root {to_text(str(root))})") from error


def digest_of(files: Sequence[str]) -> str:
    """A sha256 of the list, which tells two runs apart."""
    return hashlib.sha256(b"\0".join(map(os.fsencode, files))).hexdigest()


def chosen(dataset: FaceDataset, files: Sequence[str]) -> FaceDataset:
    """The dataset with the listed images alone.

    Args:
        dataset: Where they come from.
        files: From `read_list`.
    """

    def listed(root: Path) -> Iterator[Sample]:
        for relative in files:
            yield sample_at(root, relative, told_by_folders(relative))

    def filtered(root: Path) -> Iterator[Sample]:
        left = set(files)
        for sample in dataset.samples(root):
            if sample.relative in left:
                left.discard(sample.relative)
                yield sample
        if left:
            first = to_text(min(left, key=os.fsencode))
            raise MissingDataError(f"{root}: {len(left)} of the listed images are not there: {first} ...")

    if dataset is FOLDER:
        # The root may be above the output: what must lie apart from that are the images themselves.
        return replace(dataset, samples=listed, files=lambda root: ())
    return replace(dataset, samples=filtered)


def refuse_own_output(files: Sequence[str], root: Path, out: Path) -> None:
    """See to it that no listed image lies in the output folder.

    Raises:
        UsageError: One does.
    """
    if is_remote(root) or is_remote(out):
        return
    inside = out.resolve()
    folders = {os.path.dirname(name) for name in files}  # noqa: PTH120
    for folder in sorted(folders):
        if (root / folder).resolve().is_relative_to(inside):
            raise UsageError(
                f"{to_text(folder) or '.'} is in the list and lies in the output folder {out}: leave it out "
                "of the list (find ... -not -path), or give another --out"
            )
