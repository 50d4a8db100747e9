"""Looks for what is on both sides of a split: a person, a source image, or the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskgen.errors import LeakError
from maskgen.train.data.examples import Dropped, Example

NAMED = 10  # leaks a message names


@dataclass(frozen=True)
class Leak:
    """Something that is in more than one split.

    Attributes:
        kind: "person", "source image" or "duplicate".
        key: Which person or image, or the sha256 of what is there twice.
        places: Split -> the first example that has it there.
    """

    kind: str
    key: str
    places: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """One line for a message."""
        where = " and ".join(f"{name} ({split})" for split, name in self.places)
        return f"{self.kind} {self.key}: {where}"


def find_leaks(examples: Sequence[Example]) -> list[Leak]:
    """Every person, source image and content that is in more than one split.

    A masked image counts as the same as its source, whatever dataset it lies in now: the manifest has the
    source's sha256. Copies that were encoded again outside of maskgen cannot be known.

    Args:
        examples: With their splits.
    """
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for example in examples:
        for key in example.keys():  # noqa: SIM118
            seen.setdefault(key, {}).setdefault(example.split or "(none)", example.id)
    return [
        Leak(kind, key, tuple(sorted(places.items())))
        for (kind, key), places in seen.items()
        if len(places) > 1
    ]


def refuse_leaks(examples: Sequence[Example]) -> None:
    """End the command where there are leaks.

    Raises:
        LeakError: There are; the message names the first of each kind.
    """
    leaks = find_leaks(examples)
    if not leaks:
        return
    lines = [f"  {leak}" for leak in leaks[:NAMED]]
    if len(leaks) > NAMED:
        lines.append(f"  and {len(leaks) - NAMED:,} more")
    raise LeakError(
        f"{len(leaks):,} on both sides of the split:\n" + "\n".join(lines) + "\n--drop-leaks takes them out "
        "of the training and leaves the test as it is; --no-official-split divides anew, by person"
    )


def without_leaks(examples: Sequence[Example]) -> tuple[list[Example], list[Dropped]]:
    """The examples without those of the training whose person or image is in validation or test, too.

    What is in validation and in test leaves validation. The test stays as it is.
    """
    guarded: dict[tuple[str, str], int] = {}
    order = {"train": 0, "validation": 1, "test": 2}
    for example in examples:
        for key in example.keys():  # noqa: SIM118
            guarded[key] = max(guarded.get(key, 0), order.get(example.split or "", 0))
    kept: list[Example] = []
    dropped: list[Dropped] = []
    for example in examples:
        level = order.get(example.split or "", 0)
        kinds = [key for key in example.keys() if guarded[key] > level]  # noqa: SIM118
        if kinds:
            kind, name = kinds[0]
            dropped.append(example.dropped("leak", f"{kind} {name}"))
        else:
            kept.append(example)
    return kept, dropped
