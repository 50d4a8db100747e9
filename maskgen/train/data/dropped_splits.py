"""Splits of images that could not be used: each counts as missing in the figures of its split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from maskgen.train.data.examples import Dropped, Example
from maskgen.train.data.groups import hash_of_name, name_of_source
from maskgen.train.data.splits import SplitOptions, fold_of, tested_on_validation


def place_missed(
    dropped: Iterable[Dropped],
    gathered: Sequence[Example],
    assigned: Sequence[Example],
    options: SplitOptions,
) -> Iterator[Dropped]:
    """Assign a split to each missed image.

    A missed image gets the split of its dataset, or the split of the examples of its person or source. If
    neither is known, the split is drawn from the seed and the image's name.

    Args:
        dropped: The images without an example.
        gathered: The examples with the splits of their dataset.
        assigned: The same examples with the splits of this run.
        options: The options of the split.

    Yields:
        Each of `dropped`, in order. Images that are not missed are unchanged.
    """
    split_of_key = {
        key: example.split
        for example in assigned
        for key in (("person", example.identity), ("source", example.source))
    }
    official = {example.data for example in gathered if example.split is not None and options.official}
    validating = {example.data for example in gathered if example.split == "validation"}
    renamed = tested_on_validation(gathered)

    def split_of(each: Dropped) -> str | None:
        related = split_of_key.get(("person", each.identity)) if each.identity is not None else None
        related = related or split_of_key.get(("source", each.source))
        if options.fold is not None:
            fold = fold_of(each.fold)
            given = None if fold is None else "test" if fold == options.fold else "train"
            carved = True
        elif each.data in official:
            given = "test" if each.split == "validation" and each.data in renamed else each.split
            carved = each.data not in validating or each.data in renamed
        else:
            return related or _random_split(each, options, options.test)
        if given == "train" and carved:
            return related if related in ("train", "validation") else _random_split(each, options, 0.0)
        return given

    for each in dropped:
        yield replace(each, split=split_of(each)) if each.is_missed else each


def _random_split(each: Dropped, options: SplitOptions, test: float) -> str:
    """A split drawn by its share; `test` is 0 for a dataset that has its own test split."""
    place = int(hash_of_name(name_of_source(each.source) or each.id, options.seed)[:12], 16) / 16**12
    return "test" if place < test else "validation" if place < test + options.validation else "train"
