"""Build the samples of an adapter: images below the root with their labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskgen.files.image_files import images
from maskgen.files.path_text import to_text
from maskgen.records import Box, Sample

__all__ = ["images", "sample_at", "tail"]


def tail(path: str) -> str:
    """The last two parts of a path, which are the same in all copies of a dataset."""
    return "/".join(path.split("/")[-2:])


def sample_at(
    root: Path,
    relative: str,
    labels: Mapping[str, Any] | None = None,
    *,
    split: str | None = None,
    identity: str | None = None,
    boxes: tuple[Box, ...] = (),
) -> Sample:
    """The sample of the image at ``relative`` below ``root``.

    ``labels`` are the image's labels: ``split``, ``identity`` and ``note`` become fields of the `Sample`, all
    others become attributes. Values that are None are dropped.
    """
    attributes = dict(labels or ())
    if None in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value is not None}
    split, identity = attributes.pop("split", split), attributes.pop("identity", identity)
    return Sample(
        id=to_text(relative),
        path=root / relative,
        relative=relative,
        split=split,
        identity=None if identity is None else to_text(identity),
        boxes=boxes,
        note=attributes.pop("note", None),
        attributes=attributes,
    )
