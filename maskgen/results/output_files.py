"""Write the files of one image, and check that output and source folders are apart."""

from __future__ import annotations

from pathlib import Path

from maskgen.errors import UsageError
from maskgen.files.atomic import write_atomic
from maskgen.files.path_text import from_text
from maskgen.files.remote import is_remote, lies_in
from maskgen.results.layout import Places


def write_outputs(
    out: Path,
    scratch: Path | None,
    places: Places,
    image: bytes,
    unmasked: bytes | None = None,
    alpha: bytes | None = None,
) -> None:
    """Write the encoded files of one sample and variant that have a place, each atomically.

    ``scratch`` is a folder below ``out`` for unfinished files; None uses the folders of the files.
    """
    for place, data in ((places.unmasked, unmasked), (places.alpha, alpha), (places.image, image)):
        if place is not None and data is not None:
            write_atomic(out / from_text(place), data, scratch)


def check_apart(root: Path, out: Path) -> None:
    """Raise `UsageError` if source and output are the same, or one lies in the other.

    Resolves links and ``..``, also on file systems that ignore case.
    """
    if is_remote(root) or is_remote(out):
        if is_remote(root) and is_remote(out) and (lies_in(root, out) or lies_in(out, root)):
            raise UsageError(f"{out} and the source {root} lie in one another; give another --out")
        return
    source, target = root.resolve(), out.resolve()
    if source == target:
        raise UsageError(f"the output folder {out} is the source itself; give another --out")
    for inner, outer, words in (
        (target, source, f"the output folder {out} lies in the source {root}"),
        (source, target, f"the source {root} lies in the output folder {out}"),
    ):
        for folder in (inner, *inner.parents):
            if folder == outer or (folder.exists() and outer.exists() and folder.samefile(outer)):
                raise UsageError(f"{words}; give an --out outside of it")
