"""In which split the images belong that take no part, so that each is missing from the right figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from maskgen.train.data.examples import Dropped, Example
from maskgen.train.data.groups import drawn, name_of_source
from maskgen.train.data.splits import SplitOptions, fold_of, tested_on_validation


def place_missed(
    dropped: Iterable[Dropped],
    gathered: Sequence[Example],
    assigned: Sequence[Example],
    options: SplitOptions,
) -> Iterator[Dropped]:
    """Give what was missed the split that it would be in.

    An image that could not be read goes where its dataset says, or with the examples of its person or
    source; where neither is known it is drawn with the shares of the split, from the seed and its name.

    Args:
        dropped: What takes no part.
        gathered: The examples as the dataset has them.
        assigned: The same with the splits of this run.
        options: How they were divided.

    Yields:
        Each of them, in their order; those that are not missed as they are.
    """
    there = {
        key: example.split
        for example in assigned
        for key in (("person", example.identity), ("source", example.source))
    }
    official = {example.data for example in gathered if example.split is not None and options.official}
    validating = {example.data for example in gathered if example.split == "validation"}
    renamed = tested_on_validation(gathered)

    def split_of(each: Dropped) -> str | None:
        known = there.get(("person", each.identity)) if each.identity is not None else None
        known = known or there.get(("source", each.source))
        if options.fold is not None:
            fold = fold_of(each.fold)
            given = None if fold is None else "test" if fold == options.fold else "train"
            carved = True
        elif each.data in official:
            given = "test" if each.split == "validation" and each.data in renamed else each.split
            carved = each.data not in validating or each.data in renamed
        else:
            return known or _drawn(each, options, options.test)
        if given == "train" and carved:
            return known if known in ("train", "validation") else _drawn(each, options, 0.0)
        return given

    for each in dropped:
        yield replace(each, split=split_of(each)) if each.is_missed else each


def _drawn(each: Dropped, options: SplitOptions, test: float) -> str:
    """A split by its share; that of the test is given, since there is none where it is official."""
    place = int(drawn(name_of_source(each.source) or each.id, options.seed)[:12], 16) / 16**12
    return "test" if place < test else "validation" if place < test + options.validation else "train"
