"""Who learns and who is tested."""

from collections import Counter

import pytest
from train_data import example

from maskgen.errors import LeakError, UsageError
from maskgen.train.data.leaks import find_leaks, refuse_leaks, without_leaks
from maskgen.train.data.splits import SplitOptions, assign_splits, by_fold, folds_of


def divided(examples, **options):
    return {each.id: each.split for each in assign_splits(examples, SplitOptions(**options))[0]}


def crowd(people=100, pictures=3):
    return [
        example(f"{person}-{picture}", ("female", "male")[person % 2], identity=f"p{person}")
        for person in range(people)
        for picture in range(1 + person % pictures)
    ]


def test_a_person_is_never_divided_and_the_labels_are_balanced():
    examples = crowd()
    found = assign_splits(examples, SplitOptions(validation=0.2, test=0.2))[0]
    assert find_leaks(found) == {}
    for label in ("female", "male"):
        counts = Counter(each.split for each in found if each.label == label)
        assert counts["test"] == pytest.approx(0.2 * counts.total(), abs=3)
        assert counts["validation"] == pytest.approx(0.2 * counts.total(), abs=3)


def test_the_draw_depends_on_the_seed_and_on_no_order_of_files():
    examples = crowd()
    assert divided(examples) == divided(examples[::-1])
    assert divided(examples) == divided(examples)
    assert divided(examples) != divided(examples, seed=1)


def test_without_persons_pictures_of_one_source_and_of_the_same_bytes_stay_together():
    examples = [
        example(f"{n}", source=f"set: {n // 2}", hashes=frozenset((f"{n // 4}",))) for n in range(200)
    ]
    found = divided(examples, test=0.3)
    assert all(len({found[str(n + k)] for k in range(4)}) == 1 for n in range(0, 200, 4))
    assert set(found.values()) == {"train", "validation", "test"}


def test_official_splits_are_kept():
    examples = [example(f"{n}", split=("train", "validation", "test")[n % 3]) for n in range(30)]
    assert divided(examples) == {each.id: each.split for each in examples}


def test_a_dataset_without_test_is_tested_on_its_validation_and_validates_on_part_of_its_training():
    examples = [example(f"{n}", split="validation" if n < 20 else "train") for n in range(100)]
    found = divided(examples, validation=0.25)
    assert {name for name, split in found.items() if split == "test"} == {str(n) for n in range(20)}
    assert Counter(found.values()) == {"test": 20, "validation": 20, "train": 60}


def test_where_only_some_pictures_have_a_split_the_others_take_no_part():
    examples = [example(f"{n}", split=(None, "train", "test")[n % 3]) for n in range(30)]
    kept, dropped = assign_splits(examples, SplitOptions())
    assert len(kept) == 20
    assert {each.reason for each in dropped} == {"no split"}


def test_official_splits_can_be_left_aside():
    examples = [example(f"{n}", split="train") for n in range(30)]
    assert set(divided(examples, official=False).values()) == {"train", "validation", "test"}


def test_a_fold_is_the_test_and_the_others_are_learnt_from():
    examples = [example(f"{n}", attributes={"fold": n % 5} if n < 90 else {}) for n in range(100)]
    kept, dropped = assign_splits(examples, SplitOptions(fold=2))
    assert {each.attributes["fold"] for each in kept if each.split == "test"} == {2}
    assert {each.attributes["fold"] for each in kept if each.split != "test"} == {0, 1, 3, 4}
    assert len(dropped) == 10
    with pytest.raises(UsageError, match="the folds are 0, 1, 2, 3, 4"):
        assign_splits(examples, SplitOptions(fold=7))
    assert {each.split for each in by_fold(examples)[0]} == {f"fold {n}" for n in range(5)}


def test_a_limit_counts_twins_together_and_leaves_validation_and_test_whole():
    examples = [
        example(f"{n} {side}", ("female", "male")[n % 2], "train" if n < 40 else "validation", source=str(n))
        for n in range(60)
        for side in ("masked", "unmasked")
    ]
    whole, _ = assign_splits(examples, SplitOptions())
    kept, dropped = assign_splits(examples, SplitOptions(limit_per_class=10))
    counts = Counter((each.split, each.label) for each in kept)
    assert counts["train", "female"] == counts["train", "male"] == 10
    for split in ("validation", "test"):
        assert [each for each in kept if each.split == split] == [e for e in whole if e.split == split]
    assert all(count == 2 for count in Counter(each.source for each in kept).values())
    assert {(each.split, each.reason) for each in dropped} == {("train", "over --limit-per-class")}


@pytest.mark.parametrize(("count", "warned"), [(199, True), (200, False)])
def test_a_small_validation_split_is_warned_about(caplog, count, warned):
    splits = ["validation"] * count + ["train", "test"]
    assign_splits([example(f"{n}", split=split) for n, split in enumerate(splits)], SplitOptions())
    expected = f"only {count} images, and it chooses the best epoch"
    assert (expected in caplog.text) is warned


def test_too_few_people_to_divide_is_said():
    with pytest.raises(UsageError, match="1 groups of persons"):
        divided([example(f"{n}", identity="only") for n in range(9)])


LEAKS = {
    "person": (
        example("a", split="train", identity="set: 7"),
        example("b", split="test", identity="set: 7"),
    ),
    "source image": (
        example("a", split="train", source="set: 1"),
        example("a unmasked", split="test", source="set: 1"),
    ),
    "duplicate": (
        example("a", split="train", hashes=frozenset(("01", "02"))),
        example("other name", split="validation", hashes=frozenset(("02",))),
    ),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_the_check_finds_each_planted_leak_and_names_both_sides(kind):
    examples = [example(f"other {n}", split="train") for n in range(5)] + list(LEAKS[kind])
    ((own, _),) = find_leaks(examples)
    assert own == kind
    with pytest.raises(LeakError) as raised:
        refuse_leaks(examples)
    assert raised.value.exit_code == 1
    assert all(f"{each.id} ({each.split})" in str(raised.value) for each in LEAKS[kind])


def test_leaks_can_be_taken_out_of_the_training_and_leave_the_test_alone():
    examples = [each for pair in LEAKS.values() for each in pair] + [example("good", split="train")]
    kept, dropped = without_leaks(examples)
    assert find_leaks(kept) == {}
    assert {each.split for each in dropped} == {"train"}
    assert len(dropped) == 3 and {each.reason for each in dropped} == {"leak"}


@pytest.mark.parametrize(("count", "splits"), [(1, "T"), (2, "TV"), (3, "TVt"), (4, "TTVt")])
def test_a_class_of_few_is_learnt_before_it_is_validated_and_validated_before_it_is_tested(count, splits):
    rare = [example(f"r{n}", "rare") for n in range(count)]
    found = divided([*rare, *(example(f"{n}", "common") for n in range(50))])
    letters = {"train": "T", "validation": "V", "test": "t"}
    assert "".join(sorted(letters[found[each.id]] for each in rare)) == splits


def test_folds_of_a_table_are_numbers_too():
    examples = [example(f"{n}", ("a", "b")[n // 3 % 2], attributes={"fold": str(n % 3)}) for n in range(30)]
    assert folds_of(examples) == [0, 1, 2]
    found = divided(examples, fold=1)
    assert {name for name, split in found.items() if split == "test"} == {str(n) for n in range(1, 30, 3)}
    with pytest.raises(UsageError, match="whole numbers, there is one called 'left'"):
        folds_of([example("x", attributes={"fold": "left"})])
