"""Intervals by person, equalised odds, and the comparison of pairs."""

import time

import numpy as np
import pytest
from sklearn import metrics as reference
from train_data import example

from maskgen.train.judging import bootstrap
from maskgen.train.judging.bootstrap import (
    Resampling,
    Units,
    _areas,
    figure_intervals,
    interval,
    share_interval,
)
from maskgen.train.judging.groups import LEAST_IMAGES, equalised_odds
from maskgen.train.judging.paired import compare_pairs, mcnemar
from maskgen.train.metrics import decide, scores, wilson


def predictions(count, classes=2, seed=0):
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, classes, count).astype(np.int32)
    logits = draws.normal(0, 1, (count, classes)) + 1.2 * np.eye(classes)[labels]
    exponentials = np.exp(logits.round(1))  # rounded, so that there are ties
    return labels, (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def of_persons(persons):
    return Resampling(
        Units.of_examples([example(f"{n}", identity=f"p{person}") for n, person in enumerate(persons)])
    )


@pytest.mark.parametrize(
    ("examples", "kind", "count"),
    [
        ([example("a", identity="p"), example("b", identity="p"), example("c", identity="q")], "person", 2),
        ([example("a", source="s"), example("a masked", source="s"), example("b")], "source image", 2),
        ([example("a", identity="p"), example("b")], "person or source image", 2),
    ],
)
def test_persons_are_drawn_and_source_images_where_they_are_unknown(examples, kind, count):
    units = Units.of_examples(examples)
    assert (units.kind, units.count) == (kind, count)


@pytest.mark.parametrize("classes", [2, 4])
def test_figures_of_a_draw_are_those_of_the_images_drawn(classes, monkeypatch):
    monkeypatch.setattr(bootstrap, "DRAWS", 50)
    labels, probabilities = predictions(120, classes)
    resampling = of_persons(np.arange(120) // 3)
    found = figure_intervals(resampling, labels, probabilities)
    values = {name: [] for name in found}
    for weights in resampling.weights():
        for own in weights.astype(int):
            drawn = np.repeat(np.arange(120), own)
            figures = scores(labels[drawn], probabilities[drawn], [str(n) for n in range(classes)])
            for name, each in values.items():
                each.append(figures[name])
    assert len(values["accuracy"]) == 50
    for name, low_high in found.items():
        assert low_high == pytest.approx(interval(np.array(values[name])), abs=1e-6), name


def test_areas_are_scikit_learns_with_weights():
    labels, probabilities = predictions(200)
    resampling = of_persons(np.arange(200))
    found = _areas(resampling, labels == 1, probabilities[:, 1])
    weights = next(resampling.weights())
    for place in range(20):
        expected = reference.roc_auc_score(labels, probabilities[:, 1], sample_weight=weights[place])
        assert found[place] == pytest.approx(expected, abs=1e-6)


def test_images_of_one_person_say_less_than_as_many_persons():
    correct = np.random.default_rng(0).random(50) < 0.7
    images = np.repeat(correct, 20)
    everything = [np.ones(1000, bool)]
    ((low, high),) = share_interval(of_persons(np.arange(1000) // 20), images, everything)
    ((alone_low, alone_high),) = share_interval(of_persons(np.arange(1000)), images, everything)
    assert (high - low) / (alone_high - alone_low) == pytest.approx(np.sqrt(20), rel=0.15)


def test_the_interval_contains_the_truth_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(bootstrap, "DRAWS", 300)
    draws = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        persons = draws.beta(7, 3, 60).repeat(5)  # each with their own difficulty, .7 in the mean
        correct = draws.random(300) < persons
        ((low, high),) = share_interval(of_persons(np.arange(300) // 5), correct, [np.ones(300, bool)])
        hits += low <= 0.7 <= high
    assert 0.89 <= hits / 200 <= 0.99


@pytest.mark.parametrize(
    ("persons", "correct", "expected"),
    [
        ([0, 0, 1, 1, 2, 2], [1] * 6, wilson(3, 3)),
        ([0, 0, 1, 1, 2, 2], [0] * 6, wilson(0, 3)),
        ([0, 0, 0, 0], [1, 1, 0, 0], wilson(0.5, 1)),  # one person says little
    ],
)
def test_where_every_draw_is_the_same_the_interval_has_a_width_all_the_same(persons, correct, expected):
    everything = [np.ones(len(persons), bool)]
    (found,) = share_interval(of_persons(persons), np.array(correct, bool), everything)
    assert found == pytest.approx(expected)
    assert found[1] - found[0] > 0.4


def test_20000_images_are_quick():
    labels, probabilities = predictions(20_000)
    started = time.process_time()
    figure_intervals(of_persons(np.arange(20_000)), labels, probabilities)
    assert time.process_time() - started < 30


def odds_of(groups, rates, count=100):
    """Groups with so many images of each class; `rates`: (true positive, false positive) of each."""
    labels, predicted, masks = [], [], {}
    for number, (true, false) in enumerate(rates):
        hits, alarms = np.arange(count) < true * count, np.arange(count) < false * count
        labels += [1] * count + [0] * count
        predicted += [*hits, *alarms]
        masks[groups[number]] = number
    owner = np.arange(len(rates)).repeat(2 * count)
    labels, predicted = np.array(labels, np.int32), np.array(predicted, np.int32)
    sides = {name: owner == number for name, number in masks.items()}
    return equalised_odds(sides, labels, predicted, ("female", "male"), of_persons(range(len(labels))))


def test_equalised_odds_are_the_larger_of_two_differences():
    found = odds_of(("a", "b", "c"), ((0.9, 0.2), (0.8, 0.25), (0.85, 0.5)))
    assert found["difference"] == pytest.approx(0.3)
    true, false = found["true_positive_rate"], found["false_positive_rate"]
    assert (true["difference"], true["highest"], true["lowest"]) == (pytest.approx(0.1), "a", "b")
    assert (false["difference"], false["highest"], false["lowest"]) == (pytest.approx(0.3), "c", "a")
    low, high = false["interval"]
    assert 0.15 < low < 0.3 < high < 0.45


def test_small_groups_take_no_part_in_them():
    assert odds_of(("a", "b"), ((0.9, 0.1), (0.1, 0.9)), LEAST_IMAGES - 1) is None
    assert odds_of(("a", "b"), ((0.9, 0.1), (0.1, 0.9)), LEAST_IMAGES)["difference"] == pytest.approx(0.8)


def test_of_more_classes_that_with_the_largest_difference_is_named():
    labels = np.tile(np.arange(3), 60).astype(np.int32)
    predicted = labels.copy()
    second = np.arange(180) >= 90
    predicted[second & (labels == 2)] = 0
    groups = {"a": ~second, "b": second}
    found = equalised_odds(groups, labels, predicted, ("x", "y", "z"), of_persons(range(180)))
    assert (found["class"], found["difference"]) == ("z", 1.0)


@pytest.mark.parametrize(
    ("one", "other", "exact", "mid"),
    # Two-sided binomial probabilities by hand; the last row is an example of Fagerland et al. 2013.
    [(0, 0, 1.0, 1.0), (3, 3, 1.0, 1.0), (0, 5, 0.0625, 0.03125), (1, 7, 0.0703125, 0.0390625)],
)
def test_mcnemar(one, other, exact, mid):
    assert mcnemar(one, other) == pytest.approx((exact, mid))
    assert mcnemar(other, one) == pytest.approx((exact, mid))


def test_pairs_are_compared_and_a_source_counts_once():
    examples, labels, predicted = [], [], []
    # (right when masked, right when unmasked) of each source; the last has a second masked variant.
    for number, sides in enumerate([(1, 1)] * 5 + [(0, 1)] * 4 + [(1, 0)] + [(0, 0)] * 2):
        for masked, right in zip((True, False), sides, strict=True):
            examples.append(example(f"{number} {masked}", masked=masked, source=f"s{number}"))
            labels.append(1)
            predicted.append(right)
    examples.append(example("variant", masked=True, source="s11"))
    examples.append(example("alone", masked=True, source="s12"))
    labels, predicted = np.array([*labels, 1, 1], np.int32), np.array([*predicted, 1, 1], np.int32)
    resampling = Resampling(Units.of_examples(examples))
    found = compare_pairs(examples, labels, predicted, resampling)
    assert {name: found[name] for name in ("n", "both_right", "both_wrong")} == {
        **{"n": 12, "both_right": 5, "both_wrong": 2}
    }
    assert (found["only_masked_right"], found["only_unmasked_right"], found["changed"]) == (1, 4, 5)
    assert found["difference"] == pytest.approx(-3 / 12)
    assert found["interval"][0] < -0.25 < found["interval"][1]
    assert (found["exact_p"], found["mid_p"]) == mcnemar(1, 4)
    assert compare_pairs(examples[-1:], labels[-1:], predicted[-1:], resampling) is None


def test_decisions_are_the_most_probable_class():
    assert decide(np.array([[0.49, 0.51], [0.7, 0.3]], np.float32)).tolist() == [1, 0]
