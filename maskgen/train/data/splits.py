"""Training, validation and test splits: the dataset's own, by fold, or drawn by person.

*A dataset with splits* keeps them. If it has no test split, its validation split becomes the test, and a new
validation split is drawn from its training split. Early stopping and the decision threshold use validation,
so results cannot be reported on it.

*A dataset without splits* is divided by groups (`maskgen.train.data.groups`). A hash of the seed and the name
of a group gives the order of the groups, label by label. The order of the files does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from maskgen.errors import UsageError
from maskgen.train.data.examples import FOLD, Dropped, Example
from maskgen.train.data.groups import Group, groups_of, in_drawn_order, label_of_group


@dataclass(frozen=True)
class SplitOptions:
    """Options of a split.

    Attributes:
        seed: Seed of the draws.
        validation: Share of the images, or of the training split, for validation.
        test: Share of the images for the test, if the dataset has no splits.
        fold: The fold used as test, for a dataset with folds; None ignores folds.
        official: Keep the dataset's own splits.
        limit_per_class: Maximum number of images per class and split; None for all.
    """

    seed: int = 0
    validation: float = 0.1
    test: float = 0.1
    fold: int | None = None
    official: bool = True
    limit_per_class: int | None = None


def assign_splits(
    examples: Sequence[Example], options: SplitOptions
) -> tuple[tuple[Example, ...], tuple[Dropped, ...]]:
    """Assign a split to every example.

    Returns:
        The examples in their order, and the dropped ones.

    Raises:
        UsageError: The fold does not exist, or the training or validation split would be empty.
    """
    groups = groups_of(examples)
    splits, outside = _fixed_splits(examples, options)
    for group in groups:
        _complete_group(group, splits, outside)
    shuffled = in_drawn_order(examples, groups, options.seed)
    free = [group for group in shuffled if all(splits[index] is None for index in group)]
    free = [group for group in free if not outside.issuperset(group)]
    _draw_splits(examples, free, splits, {"test": options.test, "validation": options.validation})
    lacking = _without_validation(examples, splits)
    trained = [tuple(index for index in group if splits[index] == "train") for group in shuffled]
    lacking_groups = [group for group in trained if group and lacking.issuperset(group)]
    _draw_splits(examples, lacking_groups, splits, {"validation": options.validation})
    kept = [
        replace(example, split=splits[index])
        for index, example in enumerate(examples)
        if index not in outside
    ]
    reason = "no split" if options.fold is None else "in no fold"
    dropped = [examples[index].dropped(reason) for index in sorted(outside)]
    kept, over = _limited(kept, options)
    for split in ("train", "validation"):
        if not any(example.split == split for example in kept):
            raise UsageError(
                f"no example is left for {split}: there are {len(examples):,} in {len(groups):,} groups of "
                "persons and related images"
            )
    return tuple(kept), (*dropped, *over)


def by_fold(examples: Sequence[Example]) -> tuple[tuple[Example, ...], tuple[Dropped, ...]]:
    """Use the fold of each example as its split, to check the folds for leaks.

    Raises:
        UsageError: The data have no folds.
    """
    if not folds_of(examples):
        raise UsageError("the data have no folds; Adience has some")
    folds = [fold_of(example.attributes.get(FOLD)) for example in examples]
    both = list(zip(examples, folds, strict=True))
    inside = tuple(replace(example, split=f"fold {fold}") for example, fold in both if fold is not None)
    return inside, tuple(each.dropped("in no fold") for each, fold in both if fold is None)


def folds_of(examples: Sequence[Example]) -> list[int]:
    """The sorted folds of a dataset; empty if it has none."""
    folds = {fold_of(example.attributes.get(FOLD)) for example in examples}
    return sorted(fold for fold in folds if fold is not None)


def fold_of(value: Any) -> int | None:
    """The fold number in an attribute value; None if the value is empty.

    Raises:
        UsageError: The value is not a whole number.
    """
    if value is None or not str(value).strip():
        return None
    try:
        return int(str(value))
    except ValueError as error:
        raise UsageError(f"folds are whole numbers, there is one called {value!r}") from error


def tested_on_validation(examples: Sequence[Example]) -> set[str]:
    """The DATA with training and validation but no test split: their validation split becomes the test."""
    names: dict[str, set[str | None]] = {}
    for example in examples:
        names.setdefault(example.data, set()).add(example.split)
    return {data for data, own in names.items() if {"train", "validation"} <= own and "test" not in own}


def _fixed_splits(examples: Sequence[Example], options: SplitOptions) -> tuple[list[str | None], set[int]]:
    """The splits given by the data (None: to be drawn), and the indices of the excluded examples."""
    if options.fold is not None:
        folds = folds_of(examples)
        if options.fold not in folds:
            existing = f"the folds are {', '.join(map(str, folds))}" if folds else "the data have no folds"
            raise UsageError(f"there is no fold {options.fold}: {existing}")
        own = [fold_of(example.attributes.get(FOLD)) for example in examples]
        outside = {index for index, fold in enumerate(own) if fold is None}
        return [None if f is None else "test" if f == options.fold else "train" for f in own], outside
    if not options.official:
        return [None] * len(examples), set()
    with_splits = {example.data for example in examples if example.split is not None}
    renamed = tested_on_validation(examples)
    return [
        "test" if example.split == "validation" and example.data in renamed else example.split
        for example in examples
    ], {index for index, each in enumerate(examples) if each.split is None and each.data in with_splits}


def _complete_group(group: Group, splits: list[str | None], outside: set[int]) -> None:
    """Give examples without a split the split of their group: test before validation before train."""
    present = {splits[index] for index in group}
    fixed = next((name for name in ("test", "validation", "train") if name in present), None)
    for index in group:
        if splits[index] is None and index not in outside:
            splits[index] = fixed


def _draw_splits(
    examples: Sequence[Example],
    groups: Sequence[Group],
    splits: list[str | None],
    shares: Mapping[str, float],
) -> None:
    """Draw a new split for each example of the groups: by `shares`, and "train" for the rest."""
    counts = _count_by_label(examples, groups)
    for index in chain.from_iterable(groups):
        splits[index] = None
    for spare, (split, share) in zip(range(len(shares), 0, -1), shares.items(), strict=True):
        quotas = {label: share * count for label, count in counts.items()}
        _fill_split(examples, groups, splits, split, quotas, spare)
    for index in chain.from_iterable(groups):
        splits[index] = splits[index] or "train"


def _without_validation(examples: Sequence[Example], splits: Sequence[str | None]) -> set[int]:
    """Indices of the training examples of DATA without a validation split."""
    validated = {
        example.data for example, split in zip(examples, splits, strict=True) if split == "validation"
    }
    return {
        index
        for index, example in enumerate(examples)
        if splits[index] == "train" and example.data not in validated
    }


def _fill_split(
    examples: Sequence[Example],
    groups: Sequence[Group],
    splits: list[str | None],
    split: str,
    quotas: dict[str, float],
    spare: int,
) -> None:
    """Move the first free groups of each label into a split, up to the quota of the label.

    `spare` groups of each label stay free: a class must be trained before it can be tested.
    """
    taken = dict.fromkeys(quotas, 0)
    free = [(label_of_group(examples, group), group) for group in groups if splits[group[0]] is None]
    left = Counter(label for label, _ in free)
    for label, group in free:
        if not quotas[label] or left[label] <= spare:
            continue
        # The first group is used even above the quota: a split needs every class.
        if not taken[label] or taken[label] + len(group) / 2 <= quotas[label]:
            taken[label] += len(group)
            left[label] -= 1
            for index in group:
                splits[index] = split


def _count_by_label(examples: Sequence[Example], groups: Sequence[Group]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in groups:
        label = label_of_group(examples, group)
        counts[label] = counts.get(label, 0) + len(group)
    return counts


def _limited(examples: list[Example], options: SplitOptions) -> tuple[list[Example], list[Dropped]]:
    """Keep the first images of each class and split in the drawn order; twins stay together."""
    if options.limit_per_class is None:
        return examples, []
    by_source: dict[str, list[int]] = {}
    for index, example in enumerate(examples):
        by_source.setdefault(example.source, []).append(index)
    counts: dict[tuple[str | None, str], int] = {}
    over: set[int] = set()
    sources = [tuple(group) for group in by_source.values()]
    for group in in_drawn_order(examples, sources, options.seed):
        key = examples[group[0]].split, examples[group[0]].label
        if counts.get(key, 0) + len(group) > options.limit_per_class:
            over.update(group)
        else:
            counts[key] = counts.get(key, 0) + len(group)
    kept = [example for index, example in enumerate(examples) if index not in over]
    return kept, [examples[index].dropped("over --limit-per-class") for index in sorted(over)]
