"""Training, validation and test splits: the dataset's own, by fold, or drawn by person.

*A dataset with splits* keeps them. If it has no test split, its validation split becomes the test, and a new
validation split is drawn from its training split. Early stopping and the decision threshold use validation,
so results cannot be reported on it.

*A dataset without splits* is divided by groups of related examples. A hash of the seed and the name of a
group gives the order of the groups, label by label. The order of the files does not matter.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from maskgen.errors import UsageError
from maskgen.records import SPLITS
from maskgen.train.data.examples import Dropped, Example

Group = tuple[int, ...]

# Wilson's 95 % interval of an accuracy of 0.8 on so many images is 11 points wide.
FEWEST_VALIDATED = 200

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class SplitOptions:
    """Options of a split."""

    seed: int = 0
    validation: float = 0.1  # share of the images, or of the training split
    test: float = 0.1  # share of the images, if the dataset has no splits
    fold: int | None = None  # the fold used as test; None ignores folds
    official: bool = True  # keep the dataset's own splits
    limit_per_class: int | None = None  # maximum number of training images per class


def assign_splits(
    examples: Sequence[Example], options: SplitOptions
) -> tuple[tuple[Example, ...], tuple[Dropped, ...]]:
    """Assign a split to every example; returns the examples in their order, and the dropped ones.

    The training and the validation split must not be empty. A small validation split is warned about.
    """
    groups = groups_of(examples)
    splits, outside = _fixed_splits(examples, groups, options)
    shuffled = in_drawn_order(examples, groups, options.seed)
    free = [group for group in shuffled if not any(splits[index] for index in group)]
    free = [group for group in free if not outside.issuperset(group)]
    _draw_splits(examples, free, splits, {"test": options.test, "validation": options.validation})
    # DATA without a validation split get one from their training split.
    validated = {each.data for each, split in zip(examples, splits, strict=True) if split == "validation"}
    trained = [tuple(index for index in group if splits[index] == "train") for group in shuffled]
    lacking = [part for part in trained if validated.isdisjoint(examples[index].data for index in part)]
    _draw_splits(examples, list(filter(None, lacking)), splits, {"validation": options.validation})
    assigned = [replace(example, split=split) for example, split in zip(examples, splits, strict=True)]
    kept, over = _limited([each for index, each in enumerate(assigned) if index not in outside], options)
    for split in ("train", "validation"):
        if not any(example.split == split for example in kept):
            raise UsageError(
                f"no example is left for {split}: there are {len(examples):,} in {len(groups):,} groups of "
                "persons and related images"
            )
    count = sum(example.split == "validation" for example in kept)
    if count < FEWEST_VALIDATED:
        log.warning(
            "the validation split has only %d images, and it chooses the best epoch and the threshold: with "
            "fewer than %d, chance has a part in both; draw more with --validation",
            *(count, FEWEST_VALIDATED),
        )
    reason = "no split" if options.fold is None else "in no fold"
    return tuple(kept), (*(examples[index].dropped(reason) for index in sorted(outside)), *over)


def place_missed(
    dropped: Iterable[Dropped],
    gathered: Sequence[Example],
    assigned: Sequence[Example],
    options: SplitOptions,
) -> Iterator[Dropped]:
    """Assign a split to each missed image, so that it counts as missing in the figures of its split.

    A missed image gets the split of its dataset, or the split of the examples of its person or source. If
    neither is known, the split is drawn from the seed and the image's name. Other images are unchanged.
    The examples have the splits of their dataset in `gathered`, and those of this run in `assigned`.
    """
    split_of_key = {
        key: example.split
        for example in assigned
        for key in (("person", example.identity), ("source", example.source))
    }
    official = {example.data for example in gathered if example.split is not None and options.official}
    renamed = _tested_on_validation(gathered)
    validated = {example.data for example in gathered if example.split == "validation"} - renamed
    for each in dropped:
        if not each.is_missed:
            yield each
            continue
        related = split_of_key.get(("person", each.identity)) if each.identity is not None else None
        related = related or split_of_key.get(("source", each.source))
        split = _given_split(each, options, renamed)
        if options.fold is None and each.data not in official:
            split = related or _random_split(each, options, options.test)
        elif split == "train" and (options.fold is not None or each.data not in validated):
            # A part of this training split is the validation split of the run.
            split = related if related in ("train", "validation") else _random_split(each, options, 0.0)
        yield replace(each, split=split)


def _random_split(each: Dropped, options: SplitOptions, test: float) -> str:
    """A split drawn by its share; `test` is 0 for a dataset that has its own test split."""
    place = int(name_hash(source_name(each.source) or each.id, options.seed)[:12], 16) / 16**12
    return "test" if place < test else "validation" if place < test + options.validation else "train"


def by_fold(examples: Sequence[Example]) -> tuple[tuple[Example, ...], tuple[Dropped, ...]]:
    """Use the fold of each example as its split, to check the folds for leaks."""
    if not folds_of(examples):
        raise UsageError("the data have no folds; Adience has some")
    inside = (each for each in examples if _fold_of(each) is not None)
    outside = (each.dropped("in no fold") for each in examples if _fold_of(each) is None)
    return tuple(replace(each, split=f"fold {_fold_of(each)}") for each in inside), tuple(outside)


def folds_of(examples: Sequence[Example]) -> list[int]:
    """The sorted folds of a dataset; empty if it has none."""
    return sorted({fold for example in examples if (fold := _fold_of(example)) is not None})


def _fold_of(each: Example | Dropped) -> int | None:
    if each.fold is None or not str(each.fold).strip():
        return None
    try:
        return int(str(each.fold))
    except ValueError as error:
        raise UsageError(f"folds are whole numbers, there is one called {each.fold!r}") from error


def _tested_on_validation(examples: Sequence[Example]) -> set[str]:
    """The DATA with training and validation but no test split: their validation split becomes the test."""
    names: dict[str, set[str | None]] = {}
    for example in examples:
        names.setdefault(example.data, set()).add(example.split)
    return {data for data, own in names.items() if {"train", "validation"} <= own and "test" not in own}


def _given_split(each: Example | Dropped, options: SplitOptions, renamed: set[str]) -> str | None:
    """The split by the fold or of the dataset; `renamed` are the DATA whose validation is the test."""
    if options.fold is not None:
        fold = _fold_of(each)
        return None if fold is None else "test" if fold == options.fold else "train"
    if not options.official:
        return None
    return "test" if each.split == "validation" and each.data in renamed else each.split


def _fixed_splits(
    examples: Sequence[Example], groups: Sequence[Group], options: SplitOptions
) -> tuple[list[str | None], set[int]]:
    """The splits given by the data (None: to be drawn), and the indices of the excluded examples."""
    if options.fold is not None and options.fold not in (folds := folds_of(examples)):
        existing = f"the folds are {', '.join(map(str, folds))}" if folds else "the data have no folds"
        raise UsageError(f"there is no fold {options.fold}: {existing}")
    renamed = _tested_on_validation(examples)
    splits = [_given_split(example, options, renamed) for example in examples]
    # In a dataset with folds or splits, an image without one takes no part.
    divided = {e.data for e, split in zip(examples, splits, strict=True) if split or options.fold is not None}
    outside = {index for index, each in enumerate(examples) if not splits[index] and each.data in divided}
    # To be drawn, but related to fixed ones: test before validation before train.
    for group in groups:
        present = {splits[index] for index in group}
        fixed = next((name for name in reversed(SPLITS) if name in present), None)
        for index in group:
            if splits[index] is None and index not in outside:
                splits[index] = fixed
    return splits, outside


def _draw_splits(
    examples: Sequence[Example],
    groups: Sequence[Group],
    splits: list[str | None],
    shares: Mapping[str, float],
) -> None:
    """Draw a new split for each example of the groups: by `shares`, and "train" for the rest.

    The first groups of each label go to a split, up to the quota of the label. One group of each label stays
    free for each later split and for training: a class must be trained before it can be tested.
    """
    # The label of a group is its most common one; the alphabetically first of equally common ones.
    labels = [Counter(sorted(examples[index].label for index in group)) for group in groups]
    free = [(own.most_common(1)[0][0], group) for own, group in zip(labels, groups, strict=True)]
    counts: Counter[str] = Counter()
    for label, group in free:
        counts[label] += len(group)
    for later, (split, share) in zip(range(len(shares), 0, -1), shares.items(), strict=True):
        taken: Counter[str] = Counter()
        left = Counter(label for label, _ in free)
        rest = []
        for label, group in free:
            quota = share * counts[label]
            # The first group is used even above the quota: a split needs every class.
            fits = not taken[label] or taken[label] + len(group) / 2 <= quota
            if not quota or left[label] <= later or not fits:
                rest.append((label, group))
                continue
            taken[label] += len(group)
            left[label] -= 1
            for index in group:
                splits[index] = split
        free = rest
    for _, group in free:
        for index in group:
            splits[index] = "train"


def _limited(examples: list[Example], options: SplitOptions) -> tuple[list[Example], list[Dropped]]:
    """Keep the first training images of each class in the drawn order; twins stay together.

    The other splits stay whole: few training images are a choice, few test images a worse measurement.
    """
    if options.limit_per_class is None:
        return examples, []
    by_source: dict[str, list[int]] = {}
    for index, example in enumerate(examples):
        if example.split == "train":
            by_source.setdefault(example.source, []).append(index)
    counts: Counter[str] = Counter()
    over: set[int] = set()
    for group in in_drawn_order(examples, list(map(tuple, by_source.values())), options.seed):
        label = examples[group[0]].label
        if counts[label] + len(group) > options.limit_per_class:
            over.update(group)
        else:
            counts[label] += len(group)
    kept = [example for index, example in enumerate(examples) if index not in over]
    return kept, [examples[index].dropped("over --limit-per-class") for index in sorted(over)]


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
