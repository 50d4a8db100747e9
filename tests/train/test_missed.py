"""An image that takes no part is missing from the figure of the split that it would have been in."""

from collections import Counter

import pytest
from train_data import example

from maskgen.train.data.examples import Dropped
from maskgen.train.data.splits import SplitOptions, assign_splits, place_missed

LABELS = ("female", "male")


def crowd(split_of=lambda number: None):
    return [
        example(*(f"{n}", LABELS[n % 2], split_of(n)), data="set", identity=f"p{n // 2}", source=f"set: {n}")
        for n in range(60)
    ]


def placed(examples, *missed, **options):
    chosen = SplitOptions(**options)
    assigned, _ = assign_splits(examples, chosen)
    return [each.split for each in place_missed(missed, examples, assigned, chosen)], assigned


def lost(name="lost", split=None, **fields):
    known = {"data": "set", "source": f"set: {name}", **fields}
    return Dropped(name, "unreadable", split=split, **known)


def with_test(number):
    return ("train", "validation", "test")[number // 2 % 3]


def without_test(number):
    return ("train", "validation")[number // 2 % 2]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_the_datasets_own_split_is_kept(split):
    assert placed(crowd(split_of=with_test), lost(split=split))[0] == [split]


def test_it_is_kept_though_the_person_is_elsewhere_and_where_there_is_none_nothing_is_drawn():
    examples = crowd(split_of=with_test)
    person = next(each.identity for each in examples if each.split == "test")
    found = placed(examples, lost(split="train", identity=person), lost(split=None))[0]
    assert found == ["train", None]


def test_validation_is_the_test_where_there_is_no_other():
    assert placed(crowd(split_of=without_test), lost(split="validation"))[0] == ["test"]


@pytest.mark.parametrize(
    ("fold", "expected"), [(0, "test"), ("0", "test"), (1, "train"), (None, None)], ids=str
)
def test_a_fold_decides_and_no_official_split(fold, expected):
    examples = [
        example(f"{n}", LABELS[n % 2], data="set", attributes={"fold": n % 3}, split="train")
        for n in range(30)
    ]
    found = placed(examples, lost(split="validation", fold=fold), fold=0, validation=1e-9)[0]
    assert found == [expected]


def test_what_is_drawn_goes_with_its_person_or_its_source():
    missed = [lost(f"x{n}", identity=f"p{n}", split="validation") for n in range(30)]
    missed += [lost(f"{n}", split="validation") for n in range(60)]
    for examples in (crowd(), crowd(split_of=without_test)):
        found, assigned = placed(examples, *missed, official=False, test=0.3)
        persons = {each.identity: each.split for each in assigned}
        sources = {each.source: each.split for each in assigned}
        assert found == [persons[f"p{n}"] for n in range(30)] + [sources[f"set: {n}"] for n in range(60)]


def test_what_nothing_is_known_of_is_drawn_with_the_shares_and_the_seed():
    missed = [lost(f"x{n}") for n in range(2000)]
    found, _ = placed(crowd(), *missed, test=0.3, validation=0.1)
    counts = Counter(found)
    assert counts["test"] == pytest.approx(600, abs=60)
    assert counts["validation"] == pytest.approx(200, abs=40)
    assert found == placed(crowd(), *missed, test=0.3, validation=0.1)[0]
    assert found != placed(crowd(), *missed, test=0.3, validation=0.1, seed=1)[0]


def test_validation_that_is_carved_out_of_the_training_split_misses_its_share():
    missed = [lost(f"x{n}", split="train") for n in range(2000)]
    counts = Counter(placed(crowd(split_of=without_test), *missed, validation=0.25)[0])
    assert counts["validation"] == pytest.approx(500, abs=60)
    assert set(counts) == {"train", "validation"}


def test_what_was_not_asked_for_stays_as_it_is():
    unlabelled = Dropped("x", "no label", split="validation", data="set")
    assert placed(crowd(split_of=without_test), unlabelled)[0] == ["validation"]
