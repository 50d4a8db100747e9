"""``--files-from``: the images of a list, as printed by `find`.

For a plain folder the list defines the inputs, even if files are missing, and the folder is not walked. For
any other dataset the list selects from the dataset's samples.
"""

import codecs
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.folder import FOLDER, folder_attributes
from maskgen.datasets.readers.root import labelled_by_path
from maskgen.errors import AnnotationError, MissingDataError, UsageError
from maskgen.files.path_text import to_text
from maskgen.files.remote import is_remote
from maskgen.files.safe_paths import contained, refuse_escape
from maskgen.files.text_files import decode_text
from maskgen.records import Sample


def read_list(data: bytes, root: Path, *, null: bool = False) -> tuple[str, ...]:
    """The paths of a list, relative to the root, without duplicates, in byte order.

    Args:
        data: One path a line, in the encoding of the file system or in UTF-16; lines end in LF or CRLF, and
            empty lines are skipped. Paths are relative to the root, absolute, or relative to the working
            folder, as printed by `find ROOT`; others are refused.
        root: The folder of the images.
        null: Paths end in NUL instead of a line end (``find -print0``).
    """
    if not null and b"\0" in data:
        try:
            data = os.fsencode(decode_text(data))
        except ValueError as error:
            raise UsageError(f"--files-from: {error} A list whose names end in NUL needs -0.") from error
    elif not null:
        data = data.removeprefix(codecs.BOM_UTF8)
    parts = data.split(b"\0") if null else data.replace(b"\r\n", b"\n").split(b"\n")
    names = {_relative(os.fsdecode(part), root) for part in parts if part}
    if not names:
        raise UsageError("--files-from names no image")
    return tuple(sorted(names, key=os.fsencode))


def _relative(name: str, root: Path) -> str:
    path, top = os.path.normpath(name), root
    if not is_remote(root):
        # `find photos` with --root photos prints paths relative to the working folder.
        whole, above = os.path.abspath(path), os.path.join(os.path.abspath(root), "")  # noqa: PTH100, PTH118
        path, top = whole.removeprefix(above) if whole.startswith(above) else path, Path(above)
    try:
        relative = refuse_escape(path, "--files-from").replace(os.sep, "/")
        return contained(top, relative, "--files-from")
    except AnnotationError as error:
        raise UsageError(f"{error} (--root {to_text(str(root))})") from error


def digest_of(files: Sequence[str]) -> str:
    """The sha256 of a list, which identifies the run's inputs."""
    return hashlib.sha256(b"\0".join(map(os.fsencode, files))).hexdigest()


def chosen(dataset: FaceDataset, files: Sequence[str]) -> FaceDataset:
    """A dataset restricted to the images of a list from `read_list`."""

    def filtered(root: Path) -> Iterator[Sample]:
        missing = set(files)
        for sample in dataset.samples(root):
            if sample.relative in missing:
                missing.discard(sample.relative)
                yield sample
        if missing:
            first = to_text(min(missing, key=os.fsencode))
            raise MissingDataError(f"{root}: {len(missing)} of the listed images are not there: {first} ...")

    if dataset is FOLDER:
        # The root may contain the output; `refuse_own_output` checks the images themselves.
        samples = labelled_by_path(folder_attributes, lambda root: files)
        return replace(dataset, samples=samples, files=lambda root: ())
    return replace(dataset, samples=filtered)


def refuse_own_output(files: Sequence[str], root: Path, out: Path) -> None:
    """Raise a `UsageError` if a listed image lies in the output folder."""
    if is_remote(root) or is_remote(out):
        return
    for folder in sorted({name.rpartition("/")[0] for name in files}):
        if (root / folder).resolve().is_relative_to(out.resolve()):
            raise UsageError(
                f"{to_text(folder) or '.'} is in the list and lies in the output folder {out}: leave it out "
                "of the list (find ... -not -path), or give another --out"
            )
