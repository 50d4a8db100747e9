"""Build the samples of an adapter: images below the root with their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from maskgen.files.image_files import images
from maskgen.files.path_text import to_text
from maskgen.records import Box, Sample

__all__ = ["images", "labelled_by_path", "sample_at", "tail"]


def tail(path: str) -> str:
    """The last two parts of a path, which are the same in all copies of a dataset."""
    return "/".join(path.split("/")[-2:])


def sample_at(
    root: Path, relative: str, labels: Mapping[str, Any] | None = None, boxes: tuple[Box, ...] = ()
) -> Sample:
    """The sample of the image at ``relative`` below ``root``.

    The labels ``split``, ``identity`` and ``note`` become fields of the `Sample`, all others attributes.
    Values that are None are dropped.
    """
    attributes = {name: value for name, value in (labels or {}).items() if value is not None}
    identity = attributes.pop("identity", None)
    return Sample(
        id=to_text(relative),
        path=root / relative,
        relative=relative,
        split=attributes.pop("split", None),
        identity=None if identity is None else to_text(identity),
        boxes=boxes,
        note=attributes.pop("note", None),
        attributes=attributes,
    )


def labelled_by_path(labels: Callable[[str], Mapping[str, Any]]) -> Callable[[Path], Iterator[Sample]]:
    """A `FaceDataset.samples`: every image below a root, with labels from its relative path alone."""
    return lambda root: (sample_at(root, relative, labels(relative)) for relative in images(root))
