"""An example: one image with its class, and everything that says whether two of them belong together."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskgen.files.path_text import to_text
from maskgen.records import Box, Member

Region = tuple[int, int, int, int]

FOLD = "fold"  # the attribute

# Reasons that are no failure: these images are no part of what a figure is about.
NOT_ASKED_FOR = (
    "no label",
    "no split",
    "in no fold",
    "leak",
    "over --limit-per-class",
    "class not trained",
    "seen in training",
)


@dataclass(frozen=True)
class Example:
    """One image to learn from or to be tested on.

    Attributes:
        id: What it is called in messages and tables; unique within a run.
        path: The file; through its tar, where it lies in one.
        label: Its class.
        data: Which of the given DATA it comes from.
        split: "train", "validation" or "test"; None until one is assigned.
        identity: Who it shows, with the dataset's name before it; None where that is unknown.
        source: The source image it was made from: a masked image and its unmasked twin have the same.
        hashes: sha256 of its content and of its source's content, as far as they are known.
        masked: Whether the face wears a mask; None where nothing says so.
        attributes: What the dataset and the manifest's face say: race, age, fold, template, wear, ...
        box: The face in the image; None where it is not known.
        region: The part of the image the model is shown: x, y, width, height in whole pixels.
        plain: Whether it is a JPEG that needs nothing but decoding: not turned, not CMYK.
        member: Its place in the tar; None for a file of its own.
    """

    id: str
    path: Path
    label: str
    data: str = ""
    split: str | None = None
    identity: str | None = None
    source: str = ""
    hashes: frozenset[str] = frozenset()
    masked: bool | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    box: Box | None = None
    region: Region = (0, 0, 0, 0)
    plain: bool = False
    member: Member | None = None

    def keys(self) -> Iterator[tuple[str, str]]:
        """(kind, key) of everything that may not be on both sides of a split."""
        if self.identity is not None:
            yield "person", self.identity
        yield "source image", self.source
        for sha256 in sorted(self.hashes):
            yield "duplicate", sha256

    def dropped(self, reason: str, detail: str = "") -> Dropped:
        """The same image as one that takes no part."""
        return Dropped(
            self.id,
            reason,
            detail,
            self.split,
            self.data,
            self.source,
            self.identity,
            self.attributes.get(FOLD),
        )


@dataclass(frozen=True)
class Dropped:
    """An image that is in the data and takes no part, and why.

    Attributes:
        id: As in `Example`.
        reason: In few words, the same for all images it holds for.
        detail: What is to be said of this one; may be empty.
        split: As in `Example`, as far as it is known.
        data: As in `Example`.
        source: As in `Example`; empty where it was not asked for.
        identity: As in `Example`.
        fold: Of a dataset that comes in folds.
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
        """Whether it should have been judged, and not merely was not asked for."""
        return self.reason not in NOT_ASKED_FOR


@dataclass(frozen=True)
class Wanted:
    """Which examples a run wants from its data.

    Attributes:
        label: The column that is the class: an attribute, "identity", "split", "wear", "template" ...; None
            for the manifest's own label, and for a plain tree the folder's name.
        which: "masked", "unmasked" or "both" (then the two of a pair are always in the same split).
        crop: "full", "face" or "upper-face".
        margin: How much is added around the face on each side, in sides of its box.
    """

    label: str | None = None
    which: str = "masked"
    crop: str = "full"
    margin: float = 0.25


def space_of(folder: Path) -> str:
    """What stands for a folder before the names that are unique in it: its name and a hash of its place."""
    place = folder.resolve()
    return f"{to_text(place.name)}-{hashlib.sha256(os.fsencode(place)).hexdigest()[:8]}"


def reasons(dropped: Iterable[Dropped]) -> dict[str, int]:
    """How many were dropped for each reason, most first."""
    counted = Counter(each.reason for each in dropped)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def tally(examples: Iterable[Example]) -> dict[str, dict[str, int]]:
    """Split -> label -> number of examples, both in alphabetical order."""
    counts: dict[str, Counter[str]] = {}
    for example in examples:
        counts.setdefault(example.split or "(none)", Counter())[example.label] += 1
    return {split: dict(sorted(counts[split].items())) for split in sorted(counts)}
