"""The data records of maskgen, in the order of the pipeline.

::

    Sample -> Landmarks -> Plan (+ MaskTemplate) -> Layer -> Composite -> Outcome -> ManifestRow

*Conventions*, valid everywhere:

- Images are ``uint8`` arrays of shape (height, width, 3) in BGR order.
- Points are ``(x, y)`` in pixels, x to the right, y down; pixel centres are at whole numbers.
- Boxes are ``(x, y, width, height)`` in pixels.
- "left" is the image's left, not the person's.
- Angles are in degrees. Yaw is positive when the face looks to the image's right, pitch when it
  looks down, roll when it is turned clockwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]

SPLITS = ("train", "validation", "test")
STATUSES = ("masked", "no_face", "too_small", "off_image", "unreadable", "error")
WEARS = ("correct", "nose-out", "mouth-out", "chin")
TONES = ("light", "dark", "patterned")


@dataclass(frozen=True)
class Member:
    """The position of an image in a tar.

    Attributes:
        archive: The tar, relative to the searched folder, with ``/`` between folders.
        name: The member's name in the tar.
        offset: Offset of its bytes in the tar.
        size: Its size in bytes.
        archive_size: Size of the tar in bytes when it was listed.
        refusal: The reason in its row if it is not read; else None.
    """

    archive: str
    name: str
    offset: int = 0
    size: int = 0
    archive_size: int = 0
    refusal: str | None = None


@dataclass(frozen=True)
class Sample:
    """One input image of a dataset, with its labels.

    Attributes:
        id: Unique in the dataset: the path below the root with ``/`` between folders, as valid text; bytes
            that are not UTF-8 are written ``%FF``.
        path: The file of the image, or the tar that holds it.
        relative: The path below the root with ``/`` between folders, as in the file system (undecodable
            bytes as surrogates); ``--layout mirror`` keeps it.
        split: One of `SPLITS`, or None if the dataset has none.
        identity: The person, or None if the dataset has no identities.
        attributes: Labels, JSON values only; ``gender`` is "male" or "female".
        boxes: Face annotations of the dataset, as `Box` in pixels of the upright image.
        note: The reason of a missing attribute, for the manifest; else None.
        member: Its position in the tar; None for a loose file.
    """

    id: str
    path: Path
    relative: str
    split: str | None = None
    identity: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    boxes: tuple[Box, ...] = ()
    note: str | None = None
    member: Member | None = None

    @property
    def source_path(self) -> str:
        """Its path below the root; in a tar, the path of the tar comes first."""
        if self.member is None:
            return self.relative
        return "/".join(filter(None, (self.member.archive, self.member.name)))

    def __post_init__(self) -> None:
        if self.split is not None and self.split not in SPLITS:
            raise ValueError(f"split of {self.id!r} must be one of {SPLITS} or None, got {self.split!r}")


@dataclass(frozen=True, eq=False)
class MaskTemplate:
    """An image of a flat mask, with anchors that match points of the face.

    Attributes:
        name: File name without extension.
        kind: The kind of mask: surgical, n95, kn95, cloth, ...
        tone: One of `TONES`.
        bgra: (height, width, 4) uint8, straight (not premultiplied) alpha.
        anchors: Anchor name in `ANCHORS` -> (x, y) in pixels of `bgra`.
        recolourable: Whether `--color` and `--pattern` may change it.
        licence: SPDX identifier.
        sha256: sha256 of the image's and the description's bytes together, in hex.
    """

    name: str
    kind: str
    tone: str
    bgra: Image
    anchors: Mapping[str, tuple[float, float]]
    recolourable: bool
    licence: str
    sha256: str


@dataclass(frozen=True)
class Hang:
    """Random variation in how a mask hangs on a face.

    Attributes:
        lift: Shift upwards, as a share of the distance from nose bridge to chin.
        tilt: Clockwise rotation against the face, in degrees.
        size: Scale factor of the fitted size.
        slack: Displacement of the cloth, as a share of that distance.
    """

    lift: float = 0.0
    tilt: float = 0.0
    size: float = 1.0
    slack: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Every random choice for one masked face; masking is a pure function of image and plan.

    Attributes:
        template: Name of the template; empty for a blend without templates.
        wear: One of `WEARS`.
        color: "#rrggbb" to recolour the template with, or None for its own colour.
        pattern: Name of the pattern to print on it, or None.
        seed: 63 bits for later random choices, such as the noise of a pattern.
        hang: The variation in how the mask hangs.
    """

    template: str
    wear: str
    color: str | None
    pattern: str | None
    seed: int
    hang: Hang = Hang()


@dataclass(frozen=True, eq=False)
class Layer:
    """A template fitted to a face: a rectangle in image space, clipped to the image.

    Attributes:
        bgr: (height, width, 3) uint8, straight colour; meaningful where alpha > 0.
        alpha: (height, width) uint8, 255 is opaque.
        origin: (x, y) of the rectangle's top left pixel in the image.
        shadow: (height, width) uint8, how much the layer darkens the image under and beside it; or None.
            Opaque parts of the layer hide it.
    """

    bgr: Image
    alpha: Image
    origin: tuple[int, int]
    shadow: Image | None = None

    def __post_init__(self) -> None:
        if self.bgr.shape != (*self.alpha.shape, 3):
            raise ValueError(f"colour {self.bgr.shape} and alpha {self.alpha.shape} differ in size")

    @property
    def window(self) -> tuple[slice, slice]:
        """The rectangle as slices of an image array."""
        (x, y), (height, width) = self.origin, self.alpha.shape
        return slice(y, y + height), slice(x, x + width)


@dataclass(frozen=True, eq=False)
class Composite(Layer):
    """The output pixels of a compositor; they replace the layer's rectangle in the image.

    ``bgr`` equals the image where ``alpha`` and ``shadow`` are 0. ``alpha`` is the replaced share of each
    pixel, ``shadow`` the share by which it was darkened before.
    """


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of one sample and variant, before anything is written.

    ``image`` and ``alpha`` (both of full image size) are None unless ``status`` is "masked". An outcome is
    truthy if there is an image to write.
    """

    status: str
    reason: str | None = None
    image: Image | None = None
    alpha: Image | None = None
    faces: tuple[FaceRecord, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {STATUSES}, got {self.status!r}")

    def __bool__(self) -> bool:
        return self.status == "masked"


@dataclass(frozen=True)
class FaceRecord:
    """One masked face in the manifest; its fields are those of the objects in a row's ``faces``.

    ``box`` and ``mask_box`` are (x, y, width, height) in whole pixels of the written image. ``landmarks``
    maps anchor names to [x, y]. ``coverage`` maps nose, mouth, chin and lower_face to the share of
    that part that the composited alpha covers.
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
    """One line of ``manifest.jsonl``: the result of one input and variant, masked or not.

    ``file_name`` and ``sha256`` are those of the written image, ``width`` and ``height`` its size;
    None without an image. ``source`` holds dataset, path and sha256 (None if the source cannot be read).
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


SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval", "evaluation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
GENDER_WORDS = {
    **dict.fromkeys(("male", "males", "man", "men", "boy", "boys", "m"), "male"),
    **dict.fromkeys(("female", "females", "woman", "women", "girl", "girls", "f"), "female"),
}


def split_of(text: str) -> str | None:
    """The split in `SPLITS` that a folder name or table cell means; None if it means none."""
    return SPLIT_WORDS.get(text.strip().lower())


def gender_of(text: str) -> str | None:
    """The gender, "male" or "female", of one of `GENDER_WORDS`; else None."""
    return GENDER_WORDS.get(text.strip().lower())


def genders_in(folders: Iterable[str], *, letters: bool = False) -> set[str]:
    """The genders in folder names; single letters, often parts of an index, count only with ``letters``."""
    return {gender for name in folders if (letters or len(name) > 1) and (gender := gender_of(name))}
