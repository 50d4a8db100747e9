"""The records that name the stages of maskgen, in the order in which they follow from one another.

::

    Sample -> Landmarks -> Plan (+ MaskTemplate) -> Layer -> Composite -> Outcome -> ManifestRow

*Convention*, said once and valid everywhere:

- Images are ``uint8`` arrays of shape (height, width, 3) in BGR order.
- Points are ``(x, y)`` in pixels, x to the right, y down; pixel centres are at whole numbers.
- Boxes are ``(x, y, width, height)`` in pixels.
- "left" is the image's left, never the person's.
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
    """Where an image lies in a tar.

    Attributes:
        archive: The tar, relative to the folder it was looked for in, with ``/`` between folders.
        name: The member's name in it.
        offset: Where its bytes begin.
        size: How many they are.
        archive_size: Of the tar when it was listed, in bytes.
        refusal: Why it is not read, as the reason of its row; None where it is.
    """

    archive: str
    name: str
    offset: int = 0
    size: int = 0
    archive_size: int = 0
    refusal: str | None = None


@dataclass(frozen=True)
class Sample:
    """One input image of a dataset, with what the dataset says about it.

    Attributes:
        id: Unique in the dataset: the path below the root with ``/`` between folders. Bytes that
            are not UTF-8 are written ``%FF``, so that an id is always valid text.
        path: Where to read it: its file, or the tar it lies in.
        relative: The path below the root with ``/`` between folders, as the file system has it
            (undecodable bytes as surrogates): what ``--layout mirror`` repeats.
        split: One of `SPLITS`, or None where the dataset has none.
        identity: The person, or None where the dataset does not say.
        attributes: What is known, JSON values only; ``gender`` is "male" or "female".
        boxes: Faces the dataset has marked, as `Box` in pixels of the upright image.
        note: Why an attribute is missing, in words for the manifest; None when nothing is amiss.
        member: Its place in the tar; None for a file of its own.
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
        """Its path below the root; one in a tar has the tar's name before its own."""
        if self.member is None:
            return self.relative
        return "/".join(filter(None, (self.member.archive, self.member.name)))

    def __post_init__(self) -> None:
        if self.split is not None and self.split not in SPLITS:
            raise ValueError(f"split of {self.id!r} must be one of {SPLITS} or None, got {self.split!r}")


@dataclass(frozen=True, eq=False)
class MaskTemplate:
    """An image of a mask laid flat, with the places on the face its parts belong to.

    Attributes:
        name: File name without extension.
        kind: surgical, n95, kn95, cloth, ... - what the object is.
        tone: One of `TONES`.
        bgra: (height, width, 4) uint8, straight (not premultiplied) alpha.
        anchors: Anchor name in `ANCHORS` -> (x, y) in pixels of `bgra`.
        recolourable: Whether `--color` and `--pattern` may change it.
        licence: SPDX identifier.
        sha256: Of the image's and the description's bytes together, in hex.
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
    """How one mask sits a little otherwise than the next.

    Attributes:
        lift: How far it is pulled up, as a share of the way from nose bridge to chin.
        tilt: How far it is turned clockwise against the face, in degrees.
        size: Its size against the size that fits.
        slack: How far its cloth strays from where it was drawn, as a share of that way.
    """

    lift: float = 0.0
    tilt: float = 0.0
    size: float = 1.0
    slack: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Every random choice for one masked face; whatever follows is a pure function of image and plan.

    Attributes:
        template: Name of the template; empty for a blend that uses none.
        wear: One of `WEARS`.
        color: "#rrggbb" to recolour the template with, or None to leave it as drawn.
        pattern: Name of the pattern to print on it, or None.
        seed: 63 bits for what must be drawn later, such as the pattern's own noise.
        hang: How the mask sits.
    """

    template: str
    wear: str
    color: str | None
    pattern: str | None
    seed: int
    hang: Hang = Hang()


@dataclass(frozen=True, eq=False)
class Layer:
    """A template fitted to a face: a rectangle in image space, already cut to the image.

    Attributes:
        bgr: (height, width, 3) uint8, straight colour; meaningful where alpha > 0.
        alpha: (height, width) uint8, 255 is opaque.
        origin: (x, y) of the rectangle's top left pixel in the image.
        shadow: (height, width) uint8, how much the layer darkens the image under and beside it; or None.
            Where the layer is opaque it does not show.
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
        """Indexes the rectangle in an image array."""
        (x, y), (height, width) = self.origin, self.alpha.shape
        return slice(y, y + height), slice(x, x + width)


@dataclass(frozen=True, eq=False)
class Composite(Layer):
    """The pixels a compositor made: they replace the layer's rectangle in the image.

    ``bgr`` equals the image where ``alpha`` and ``shadow`` are 0; ``alpha`` says how much of each pixel was
    replaced, ``shadow`` how much of it was darkened first.
    """


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one sample and variant, before anything is written.

    ``image`` and ``alpha`` (whole image size) are None unless ``status`` is "masked". It is falsy
    otherwise, so that ``if outcome:`` asks whether there is an image to write.
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
    """The split in `maskgen.records.SPLITS` that a folder or cell of that name means, else None."""
    return SPLIT_WORDS.get(text.strip().lower())


def gender_of(text: str) -> str | None:
    """Returns "male" or "female" where the text is one of `GENDER_WORDS`, else None."""
    return GENDER_WORDS.get(text.strip().lower())


def genders_in(folders: Iterable[str], *, letters: bool = False) -> set[str]:
    """The genders that folders name; a single letter, often part of an index, only with ``letters``."""
    return {gender for name in folders if (letters or len(name) > 1) and (gender := gender_of(name))}
