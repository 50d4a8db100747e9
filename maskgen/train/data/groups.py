"""Which examples belong together: same person, same source image or same bytes, in any chain of these."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from maskgen.train.data.examples import Example

Group = tuple[int, ...]


def groups_of(examples: Sequence[Example]) -> list[Group]:
    """Indices of the examples, in groups that share no person, source image or content.

    The groups come in the order of their first example.
    """
    parents = list(range(len(examples)))
    first: dict[tuple[str, str], int] = {}
    for index, example in enumerate(examples):
        for key in example.keys():  # noqa: SIM118
            _join(parents, first.setdefault(key, index), index)
    members: dict[int, list[int]] = {}
    for index in range(len(examples)):
        members.setdefault(_root(parents, index), []).append(index)
    return [tuple(group) for group in members.values()]


def in_drawn_order(examples: Sequence[Example], groups: Sequence[Group], seed: int) -> list[Group]:
    """The groups in an order that is drawn from the seed and their own names, whatever order they came in.

    A name is that of the source in its dataset: where the data lie, and as which layout, draws nothing else.
    """

    def draw(group: Group) -> tuple[str, str]:
        name = min(name_of_source(examples[index].source) for index in group)
        return drawn(name, seed), name

    return sorted(groups, key=draw)


def name_of_source(source: str) -> str:
    """What a source is called in its dataset."""
    return source.rpartition(": ")[2]


def drawn(name: str, seed: int) -> str:
    """What the seed draws for a name: 64 digits in hex."""
    return hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).hexdigest()


def label_of_group(examples: Sequence[Example], group: Group) -> str:
    """The label most of a group's examples have; of several, the first in alphabetical order."""
    counts = Counter(examples[index].label for index in group)
    return min(counts, key=lambda label: (-counts[label], label))


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _join(parents: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first
