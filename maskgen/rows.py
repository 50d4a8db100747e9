"""What the manifest holds: a row for each input and variant, and in it a record of each masked face.

They are named in `maskgen.records` with the other nouns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FaceRecord:
    """What the manifest says of one masked face; field for field the objects in a row's ``faces``.

    ``box`` and ``mask_box`` are (x, y, width, height) in whole pixels of the written image. ``landmarks``
    maps anchor names to [x, y]. ``coverage`` maps nose, mouth, chin and lower_face to the share of
    that part which the composited alpha covers.
    """

    box: tuple[int, int, int, int]
    mask_box: tuple[int, int, int, int]
    pose: Mapping[str, float]
    landmarks: Mapping[str, tuple[float, float]]
    detection: str
    template: str | None
    template_sha256: str | None
    kind: str | None
    tone: str | None
    color: str | None
    pattern: str | None
    fit: str
    blend: str
    wear: str
    wear_agrees: bool
    tries: int
    occluded: float
    coverage: Mapping[str, float]
    alpha_file: str | None = None


@dataclass(frozen=True)
class ManifestRow:
    """One line of ``manifest.jsonl``: one input and variant, whatever became of it.

    ``file_name`` and ``sha256`` are those of the written image, ``width`` and ``height`` its size;
    None when there is none. ``source`` holds dataset, path and sha256 (None if it could not be read).
    """

    id: str
    variant: int
    status: str
    reason: str | None
    file_name: str | None
    sha256: str | None
    width: int | None
    height: int | None
    label: str | None
    split: str | None
    identity: str | None
    attributes: Mapping[str, Any]
    source: Mapping[str, str | None]
    faces: tuple[FaceRecord, ...]
    seed: int
    unmasked_file: str | None = None
    schema: int = 1
