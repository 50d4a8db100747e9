"""The samples of an adapter: its images below the root, each with what a label says of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskgen.files.image_files import images
from maskgen.files.path_text import to_text
from maskgen.records import Box, Sample

__all__ = ["images", "sample_at", "tail"]


def tail(path: str) -> str:
    """The last two parts of a path: what copies of a dataset agree on, whatever they put before."""
    return "/".join(path.split("/")[-2:])


def sample_at(
    root: Path,
    relative: str,
    known: Mapping[str, Any] | None = None,
    *,
    split: str | None = None,
    identity: str | None = None,
    boxes: tuple[Box, ...] = (),
) -> Sample:
    """The sample whose image is at ``relative`` below ``root``.

    ``known`` is what a label says: ``split``, ``identity`` and ``note`` go where a `Sample` has them,
    everything else into its attributes, without what is None.
    """
    attributes = dict(known or ())
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
