"""Records of training data: `Example` (one image with its class), `Dropped` and `Wanted`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskgen.records import Box, Member

Region = tuple[int, int, int, int]

CROPS = ("full", "face", "upper-face")

# Reasons that are not failures: no figure counts these images as missing.
NOT_ASKED_FOR = (
    *("no label", "no split", "in no fold", "leak", "over --limit-per-class", "class not trained"),
    *("seen in training", "masked anew while training"),
)


@dataclass(frozen=True)
class Example:
    """One image for training or testing; None is unknown."""

    id: str  # name in messages and tables; unique within a run
    path: Path  # the file, or a path through a tar
    label: str  # its class
    data: str = ""  # the DATA argument that it comes from
    split: str | None = None  # "train", "validation" or "test"; None before the split
    identity: str | None = None  # the person, prefixed with the dataset's name
    source: str = ""  # the source image; a masked image and its unmasked twin have the same one
    hashes: frozenset[str] = frozenset()  # sha256 of its content and, if known, of its source's content
    masked: bool | None = None  # whether the face wears a mask
    # Those of the dataset and of the manifest's face: race, age, fold, template, wear, ...
    attributes: Mapping[str, Any] = field(default_factory=dict)
    box: Box | None = None  # the face box, xywh
    region: Region = (0, 0, 0, 0)  # what the model sees: x, y, width, height in whole pixels
    plain: bool = False  # whether it is a JPEG without EXIF rotation that OpenCV decodes directly (not CMYK)
    member: Member | None = None  # its position in the tar; None for a file on disk

    @property
    def fold(self) -> Any:
        """The fold, for a dataset with folds."""
        return self.attributes.get("fold")

    @property
    def sample_id(self) -> str:
        """The id of its source image in its dataset, as in a landmark file."""
        return self.source.partition(": ")[2]

    def keys(self) -> Iterator[tuple[str, str]]:
        """(kind, key) of the person, source image and contents: none may be in two splits."""
        if self.identity is not None:
            yield "person", self.identity
        yield "source image", self.source
        yield from (("duplicate", sha256) for sha256 in sorted(self.hashes))

    def dropped(self, reason: str, detail: str = "") -> Dropped:
        """This image as a `Dropped` record."""
        place = self.split, self.data, self.source, self.identity, self.fold
        return Dropped(self.id, reason, detail, *place)


@dataclass(frozen=True)
class Dropped:
    """An image of the data that is not used. `reason` is the same text for all images with this reason.

    `detail` is about this image and may be empty. `fold` is for a dataset with folds; the other fields are
    those of `Example`.
    """

    id: str
    reason: str
    detail: str = ""
    split: str | None = None
    data: str = ""
    source: str = ""
    identity: str | None = None
    fold: Any = None

    @property
    def is_missed(self) -> bool:
        """Whether the image counts as missing: it was requested but could not be used."""
        return self.reason not in NOT_ASKED_FOR


@dataclass(frozen=True)
class Wanted:
    """Selection of examples from the data."""

    # The column used as class; None for the manifest's label, or the folder name of a plain tree.
    label: str | None = None
    which: str = "masked"  # or "unmasked", "both", or "auto": both where there are pairs
    crop: str = "full"  # one of `CROPS`
    margin: float = 0.25  # on each side of the face, as a share of the longer side of its box


def reasons(dropped: Iterable[Dropped]) -> dict[str, int]:
    """Reason -> number of dropped images, most common first."""
    return dict(Counter(sorted(each.reason for each in dropped)).most_common())


def listed(counts: Mapping[str, int]) -> str:
    """The result of `reasons` as text."""
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items())


def tally(examples: Iterable[Example]) -> dict[str, dict[str, int]]:
    """Split -> label -> number of examples, both in alphabetical order."""
    counts: dict[str, dict[str, int]] = {}
    for (split, label), count in sorted(Counter((e.split or "(none)", e.label) for e in examples).items()):
        counts.setdefault(split, {})[label] = count
    return counts
