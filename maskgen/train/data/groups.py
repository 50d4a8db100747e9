"""Groups of examples that must share a split: same person, same source image or same bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from maskgen.train.data.examples import Example

Group = tuple[int, ...]


def groups_of(examples: Sequence[Example]) -> list[Group]:
    """Connected components of the examples; no two groups share a person, source image or content.

    Returns:
        Groups of indices, in the order of their first example.
    """
    from scipy.cluster.hierarchy import DisjointSet

    components = DisjointSet(range(len(examples)))
    first: dict[tuple[str, str], int] = {}
    for index, example in enumerate(examples):
        for key in example.keys():  # noqa: SIM118
            components.merge(first.setdefault(key, index), index)
    return [tuple(sorted(group)) for group in components.subsets()]


def in_drawn_order(examples: Sequence[Example], groups: Sequence[Group], seed: int) -> list[Group]:
    """Sort groups by a hash of the seed and their names: a shuffle that ignores the order of the input.

    The name of a group is a source name within its dataset. The folder and the layout of the data have no
    influence.
    """

    def sort_key(group: Group) -> tuple[str, str]:
        name = min(name_of_source(examples[index].source) for index in group)
        return hash_of_name(name, seed), name

    return sorted(groups, key=sort_key)


def name_of_source(source: str) -> str:
    """The name of a source within its dataset."""
    return source.rpartition(": ")[2]


def hash_of_name(name: str, seed: int) -> str:
    """sha256 of a seed and a name, in hex."""
    return hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).hexdigest()


def label_of_group(examples: Sequence[Example], group: Group) -> str:
    """The most common label of a group; the alphabetically first of equally common ones."""
    counts = Counter(examples[index].label for index in group)
    return min(counts, key=lambda label: (-counts[label], label))
