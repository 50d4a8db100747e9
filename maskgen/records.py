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
STATUSES = (
    *("masked", "no_face", "already_masked", "unsure", "too_small", "off_image"),
    *("unreadable", "error"),
)
# From this mesh_score of a `FaceRecord` on a mesh is believed, and from this mask_score on a mask is worn.
BELIEVED, WORN = 0.5, 0.5
WEARS = ("correct", "nose-out", "mouth-out", "chin")
TONES = ("light", "dark", "patterned")
COVERED_PARTS = ("nose", "mouth", "chin", "lower_face")


@dataclass(frozen=True)
class Member:
    """The position of an image in a tar."""

    archive: str  # the tar, relative to the searched folder, with / between folders
    name: str
    offset: int = 0  # of its bytes in the tar
    size: int = 0  # in bytes
    archive_size: int = 0  # size of the tar in bytes when it was listed
    refusal: str | None = None  # the reason in its row if it is not read


@dataclass(frozen=True)
class Sample:
    """One input image of a dataset, with its labels.

    ``id`` is unique in the dataset: the path below the root with ``/`` between folders, as valid text; bytes
    that are not UTF-8 are written ``%FF``. ``relative`` is the same path as in the file system (undecodable
    bytes as surrogates); ``--layout mirror`` keeps it.
    """

    id: str
    path: Path  # the image's file, or the tar that holds it
    relative: str
    split: str | None = None  # one of SPLITS, or None if the dataset has none
    identity: str | None = None  # the person
    attributes: Mapping[str, Any] = field(default_factory=dict)  # JSON values; gender is "male" or "female"
    boxes: tuple[Box, ...] = ()  # face annotations of the dataset, in the upright image
    note: str | None = None  # the reason of a missing attribute, for the manifest
    member: Member | None = None  # its position in the tar; None for a loose file

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
    """A mask: either a material of which a garment is made, or an image of it with anchors on the face."""

    name: str  # file name without extension
    kind: str  # surgical, n95, kn95, cloth, ...
    tone: str  # one of TONES
    material: Mapping[str, Any] | None  # its description; None for an image
    bgra: Image | None  # (height, width, 4), straight (not premultiplied) alpha; None for a material
    anchors: Mapping[str, tuple[float, float]]  # name in `face_mesh.ANCHORS` -> (x, y) in pixels of bgra
    recolourable: bool  # whether --color and --pattern may change it
    licence: str  # SPDX identifier
    sha256: str  # of the description's bytes, after those of the image if there is one, in hex


@dataclass(frozen=True)
class Hang:
    """Random variation in how a mask hangs on a face."""

    lift: float = 0.0  # shift upwards, as a share of the distance from nose bridge to chin
    tilt: float = 0.0  # clockwise rotation against the face, in degrees
    size: float = 1.0  # scale factor of the fitted size
    slack: float = 0.0  # displacement of the cloth, as a share of the distance from nose bridge to chin


@dataclass(frozen=True)
class Plan:
    """Every random choice for one masked face; masking is a pure function of image and plan."""

    template: str  # its name; empty for a blend without templates
    wear: str  # one of WEARS
    color: str | None  # "#rrggbb" to recolour the template with
    pattern: str | None  # name of the pattern to print on it
    seed: int  # 63 bits for later random choices, such as the noise of a pattern
    hang: Hang = Hang()


@dataclass(frozen=True, eq=False)
class Layer:
    """A template fitted to a face: a rectangle in image space, clipped to the image."""

    bgr: Image  # (height, width, 3), straight colour; meaningful where alpha > 0
    alpha: Image  # (height, width), 255 is opaque
    origin: tuple[int, int]  # (x, y) of the rectangle's top left pixel in the image
    # (height, width), how much the layer darkens the image under and beside it; its opaque parts hide this.
    shadow: Image | None = None
    # Factor by which ``bgr`` is darker than the colour in neutral light: room for highlights.
    exposure: float = 1.0
    # Share of the light's change over the face that ``bgr`` lacks: a garment has most of it in its shading.
    unlit: float = 1.0
    # Of loops that end behind an ear: (n, 2) points of the image, from the cloth on, and half the width.
    loops: tuple[tuple[NDArray[np.float32], float], ...] = ()

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
    """The result of one sample and variant, before it is written; true if there is an image to write."""

    status: str
    reason: str | None = None
    image: Image | None = None  # the masked image; this and alpha only with the status "masked"
    alpha: Image | None = None  # of full image size
    faces: tuple[FaceRecord, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {STATUSES}, got {self.status!r}")

    def __bool__(self) -> bool:
        return self.status == "masked"


@dataclass(frozen=True)
class FaceRecord:
    """One masked face in the manifest; its fields are those of the objects in a row's ``faces``."""

    box: tuple[int, int, int, int]  # in pixels of the written image, as mask_box
    mask_box: tuple[int, int, int, int]
    pose: Mapping[str, float]
    landmarks: Mapping[str, tuple[float, float]]  # anchor -> (x, y)
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
    coverage: Mapping[str, float]  # one of COVERED_PARTS -> share that the composited alpha covers
    alpha_file: str | None = None
    # From 0 to 1, None if not known: does the source look like a face under the mesh, and like one in a mask?
    mesh_score: float | None = None
    mask_score: float | None = None


@dataclass(frozen=True)
class ManifestRow:
    """One line of ``manifest.jsonl``: the result of one input and variant, masked or not."""

    id: str
    variant: int
    status: str
    reason: str | None
    file_name: str | None  # of the written image, as sha256, width and height; None without an image
    sha256: str | None
    width: int | None
    height: int | None
    label: str | None
    split: str | None
    identity: str | None
    attributes: Mapping[str, Any]
    source: Mapping[str, str | None]  # dataset, path and sha256 (None if the source cannot be read)
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
