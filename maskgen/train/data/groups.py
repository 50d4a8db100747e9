"""Groups of examples that must share a split: same person, same source image or same bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from maskgen.train.data.examples import Example

Group = tuple[int, ...]


def groups_of(examples: Sequence[Example]) -> list[Group]:
    """Connected components of the examples, as indices; no two share a person, source image or content."""
    from scipy.cluster.hierarchy import DisjointSet

    components = DisjointSet(range(len(examples)))
    first: dict[tuple[str, str], int] = {}
    for index, example in enumerate(examples):
        for key in example.keys():  # noqa: SIM118
            components.merge(first.setdefault(key, index), index)
    return [tuple(sorted(group)) for group in components.subsets()]


def in_drawn_order(examples: Sequence[Example], groups: Sequence[Group], seed: int) -> list[Group]:
    """Sort groups by a hash of the seed and their names: a shuffle that ignores the order of the input.

    Names are those of sources within their dataset: the folder and the layout of the data have no influence.
    """
    names = {group: min(source_name(examples[index].source) for index in group) for group in groups}
    return sorted(groups, key=lambda group: (name_hash(names[group], seed), names[group]))


def source_name(source: str) -> str:
    """The name of a source within its dataset: without the namespace."""
    return source.rpartition(": ")[2]


def name_hash(name: str, seed: int) -> str:
    """sha256 of a seed and a name, in hex."""
    return hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).hexdigest()


def label_of_group(examples: Sequence[Example], group: Group) -> str:
    """The most common label of a group; the alphabetically first of equally common ones."""
    return Counter(sorted(examples[index].label for index in group)).most_common(1)[0][0]
