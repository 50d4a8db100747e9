"""Who learns and who is tested: the dataset's own split, its folds, or one drawn by person.

*Where the dataset has splits*, they are kept. One that has no test split gives its validation split to the
final test, and a new validation split is taken out of its training split: early stopping and the decision
threshold are chosen on validation, so that it cannot also be what the result is told of.

*Where it has none*, whole groups (`maskgen.train.data.groups`) are drawn by a hash of the seed and their
names,
label by label, so that no order of files and no other file decides about one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from maskgen.errors import UsageError
from maskgen.train.data.examples import FOLD, Dropped, Example
from maskgen.train.data.groups import Group, groups_of, in_drawn_order, label_of_group


@dataclass(frozen=True)
class SplitOptions:
    """How examples are divided.

    Attributes:
        seed: Where the draws start.
        validation: Share of the images, or of the training split, that goes to validation.
        test: Share of the images that goes to the test where the dataset has no splits.
        fold: The fold that is the test, of a dataset that comes in folds; None takes no notice of folds.
        official: Whether the dataset's own splits are kept.
        limit_per_class: How many images of each class each split has at most; None for all.
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
    """Give every example its split.

    Returns:
        The examples in their order, and those that had to be left out.

    Raises:
        UsageError: There are no such folds, or nothing would be left to learn from or to validate on.
    """
    groups = groups_of(examples)
    splits, outside = _given(examples, options)
    for group in groups:
        _follow(group, splits, outside)
    drawn = in_drawn_order(examples, groups, options.seed)
    free = [group for group in drawn if all(splits[index] is None for index in group)]
    free = [group for group in free if not outside.issuperset(group)]
    _draw(examples, free, splits, options)
    lacking = _without_validation(examples, splits)
    trained = [tuple(index for index in group if splits[index] == "train") for group in drawn]
    _carve(
        examples,
        [group for group in trained if group and lacking.issuperset(group)],
        splits,
        options.validation,
    )
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
                "persons and images that belong together"
            )
    return tuple(kept), (*dropped, *over)


def by_fold(examples: Sequence[Example]) -> tuple[tuple[Example, ...], tuple[Dropped, ...]]:
    """Every example with its fold as its split, for a check of the folds themselves.

    Raises:
        UsageError: The data come in no folds.
    """
    if not folds_of(examples):
        raise UsageError("the data come in no folds; Adience does")
    folds = [fold_of(example.attributes.get(FOLD)) for example in examples]
    both = list(zip(examples, folds, strict=True))
    inside = tuple(replace(example, split=f"fold {fold}") for example, fold in both if fold is not None)
    return inside, tuple(each.dropped("in no fold") for each, fold in both if fold is None)


def folds_of(examples: Sequence[Example]) -> list[int]:
    """The folds a dataset comes in, in order; empty where it comes in none."""
    folds = {fold_of(example.attributes.get(FOLD)) for example in examples}
    return sorted(fold for fold in folds if fold is not None)


def fold_of(value: Any) -> int | None:
    """The number of a fold, which a table holds as text; None where an image is in none.

    Raises:
        UsageError: It is no whole number.
    """
    if value is None or not str(value).strip():
        return None
    try:
        return int(str(value))
    except ValueError as error:
        raise UsageError(f"folds are whole numbers, there is one called {value!r}") from error


def tested_on_validation(examples: Sequence[Example]) -> set[str]:
    """The DATA that have a training and a validation split and no test: there validation is the test."""
    names: dict[str, set[str | None]] = {}
    for example in examples:
        names.setdefault(example.data, set()).add(example.split)
    return {data for data, own in names.items() if {"train", "validation"} <= own and "test" not in own}


def _given(examples: Sequence[Example], options: SplitOptions) -> tuple[list[str | None], set[int]]:
    """The splits that are not to be drawn, and the indices of what takes no part."""
    if options.fold is not None:
        folds = folds_of(examples)
        if options.fold not in folds:
            known = f"the folds are {', '.join(map(str, folds))}" if folds else "the data come in no folds"
            raise UsageError(f"there is no fold {options.fold}: {known}")
        own = [fold_of(example.attributes.get(FOLD)) for example in examples]
        outside = {index for index, fold in enumerate(own) if fold is None}
        return [None if f is None else "test" if f == options.fold else "train" for f in own], outside
    if not options.official:
        return [None] * len(examples), set()
    having = {example.data for example in examples if example.split is not None}
    renamed = tested_on_validation(examples)
    return [
        "test" if example.split == "validation" and example.data in renamed else example.split
        for example in examples
    ], {index for index, each in enumerate(examples) if each.split is None and each.data in having}


def _follow(group: Group, splits: list[str | None], outside: set[int]) -> None:
    """Examples without a split go where others of their group already are, the most guarded split first."""
    there = {splits[index] for index in group}
    fixed = next((name for name in ("test", "validation", "train") if name in there), None)
    for index in group:
        if splits[index] is None and index not in outside:
            splits[index] = fixed


def _draw(
    examples: Sequence[Example], groups: Sequence[Group], splits: list[str | None], options: SplitOptions
) -> None:
    total = _count_by_label(examples, groups)
    for split, share, spare in (("test", options.test, 2), ("validation", options.validation, 1)):
        quotas = {label: share * count for label, count in total.items()}
        _take(examples, groups, splits, split, quotas, spare)
    for group in groups:
        for index in group:
            splits[index] = splits[index] or "train"


def _without_validation(examples: Sequence[Example], splits: Sequence[str | None]) -> set[int]:
    """Indices of the training examples of those DATA that have no validation split."""
    having = {example.data for example, split in zip(examples, splits, strict=True) if split == "validation"}
    return {
        index
        for index, example in enumerate(examples)
        if splits[index] == "train" and example.data not in having
    }


def _carve(
    examples: Sequence[Example], groups: Sequence[Group], splits: list[str | None], share: float
) -> None:
    quotas = {label: share * count for label, count in _count_by_label(examples, groups).items()}
    for group in groups:
        for index in group:
            splits[index] = None
    _take(examples, groups, splits, "validation", quotas, spare=1)
    for group in groups:
        for index in group:
            splits[index] = splits[index] or "train"


def _take(
    examples: Sequence[Example],
    groups: Sequence[Group],
    splits: list[str | None],
    split: str,
    quotas: dict[str, float],
    spare: int,
) -> None:
    """Put the first free groups of each label into a split until its quota is met as nearly as can be.

    As many groups of each label as `spare` says are left: a class has to be learnt before it can be tested.
    """
    taken = dict.fromkeys(quotas, 0)
    free = [(label_of_group(examples, group), group) for group in groups if splits[group[0]] is None]
    left = Counter(label for label, _ in free)
    for label, group in free:
        if not quotas[label] or left[label] <= spare:
            continue
        # The first group is taken even where it exceeds the quota: a split without a class is no split.
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
    """The first images of each class and split in the drawn order; twins stay together."""
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
