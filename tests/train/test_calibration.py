"""Shift and temperature: what they are fitted to, their bounds, and that weights and formula agree."""

import numpy as np
import pytest
from sklearn import metrics as reference
from train_data import example, needs_train

from maskgen.keras_runtime import keras
from maskgen.train.judging.bootstrap import Resampling, Units
from maskgen.train.judging.calibration import TEMPERATURES, _best_shifts, fit_calibration
from maskgen.train.metrics import decide, expected_calibration_error, reliability
from maskgen.train.model.calibration import Calibration


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def predictions(classes=2, count=2000, shift=0.0, temperature=1.0, seed=0):
    """Labels drawn from true probabilities, and the probabilities of a model that is off by both."""
    draws = np.random.default_rng(seed)
    logits = draws.normal(0, 1.5, (count, classes))
    labels = (softmax(logits).cumsum(axis=1) < draws.random((count, 1))).sum(axis=1).clip(max=classes - 1)
    wrong = temperature * logits
    wrong[:, 1] += shift
    return labels.astype(np.int32), softmax(wrong)


@pytest.mark.parametrize(("shift", "temperature"), [(0.0, 3.0), (1.5, 1.0), (-2.0, 0.8), (1.0, 2.0)])
def test_what_was_wrong_with_the_logits_is_found_and_undone(shift, temperature):
    labels, probabilities = predictions(shift=shift, temperature=temperature)
    found = fitted(labels, probabilities).calibration
    # The best cut of a sample is known to about half a unit of the true log-odds.
    assert found.shift == pytest.approx(shift, abs=0.5 * temperature)
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    after = found.probabilities(probabilities)
    errors = [expected_calibration_error(reliability(labels, each)) for each in (probabilities, after)]
    assert errors[1] < max(0.05, errors[0] / 2)


def resampling(count):
    return Resampling(Units.of_examples([example(f"{n}.jpg", identity=f"p{n}") for n in range(count)]))


def fitted(labels, probabilities):
    return fit_calibration(labels, probabilities, resampling(len(labels)))


@pytest.mark.parametrize("shift", [-2.0, 0.0, 1.5])
def test_the_best_cut_of_a_draw_has_the_best_balanced_accuracy_there_is(shift):
    labels, probabilities = predictions(count=200, shift=shift, seed=3)
    weights = np.concatenate((np.ones((1, 200), np.float32), next(resampling(200).weights())[:5]))
    for own, found in zip(weights, _best_shifts(labels, probabilities, weights), strict=True):

        def balanced(predicted, own=own):
            return reference.balanced_accuracy_score(labels, predicted, sample_weight=own)

        reached = balanced(decide(Calibration(found).probabilities(probabilities)))
        every = [balanced(probabilities[:, 1] >= cut) for cut in (*probabilities[:, 1], 1.1)]
        assert reached == pytest.approx(max(every))


def test_the_cut_is_the_better_one_on_other_images():
    gains = []
    for seed in range(20):
        labels, probabilities = predictions(count=4000, shift=1.0, seed=seed)
        few = slice(0, 150)
        mean = fitted(labels[few], probabilities[few]).calibration.shift
        (alone,) = _best_shifts(labels[few], probabilities[few], np.ones((1, 150), np.float32))
        reached = [
            reference.balanced_accuracy_score(labels, decide(Calibration(shift).probabilities(probabilities)))
            for shift in (0.0, alone, mean)
        ]
        gains.append((reached[2] - reached[0], reached[2] - reached[1]))
    from_none, from_one = np.mean(gains, axis=0)
    assert from_none > 0.03 and from_one > 0


def test_of_more_than_two_classes_only_the_temperature_changes():
    labels, probabilities = predictions(classes=5, temperature=2.5)
    found = fitted(labels, probabilities).calibration
    assert found.shift == 0
    assert found.temperature == pytest.approx(2.5, rel=0.1)
    assert np.array_equal(decide(found.probabilities(probabilities)), decide(probabilities))


EASY = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)


@pytest.mark.parametrize(
    ("labels", "probabilities", "temperature"),
    [
        ([0, 1], EASY, (0.7, 1)),  # two images say little: the prior holds
        ([1, 0], EASY, (1, 2)),
        (
            [0, 1] * 500,
            np.tile(EASY, (500, 1)),
            (TEMPERATURES[0], 0.6),
        ),  # perfectly separated: the bound holds
        ([1, 0, 0, 1] * 500, np.tile(EASY, (1000, 1)), (5, TEMPERATURES[1])),  # half of them surely wrong
        ([0, 1], np.eye(2, dtype=np.float32), (0.7, 1.01)),  # log(0)
        ([1, 0], np.eye(2, dtype=np.float32), (1, TEMPERATURES[1])),
    ],
    ids=["two", "two, wrong", "separated", "chance", "sure", "sure, wrong"],
)
def test_a_tiny_or_separated_split_moves_nothing_far(labels, probabilities, temperature):
    found = fitted(np.array(labels, np.int32), probabilities).calibration
    assert found.shift == pytest.approx(0, abs=1e-9), "of equally good cuts, the one that is there"
    assert temperature[0] <= found.temperature <= temperature[1]
    assert np.isfinite(found.probabilities(probabilities)).all()


def test_a_split_of_one_class_has_no_cut():
    labels, one = np.zeros(9, np.int32), np.tile(np.array([[0.2, 0.8]], np.float32), (9, 1))
    found = fitted(labels, one)
    assert (found.calibration.shift, found.threshold_interval) == (0, None)


def test_the_interval_of_the_threshold_contains_the_true_one_and_narrows():
    widths = []
    for count in (100, 2000):
        labels, probabilities = predictions(count=count, shift=1.0)
        found = fitted(labels, probabilities)
        low, high = found.threshold_interval
        assert low < Calibration(1.0).threshold < high
        assert low < found.calibration.threshold < high
        widths.append(high - low)
    assert widths[1] < widths[0]


@pytest.mark.parametrize("threshold", [0.0, 1e-6, 0.136, 0.5, 0.9, 1.0])
def test_a_threshold_becomes_a_half(threshold):
    calibration = Calibration.of_threshold(threshold)
    if 0 < threshold < 1:
        assert calibration.threshold == pytest.approx(threshold)
    second = np.array([0.0, 0.1, threshold * 0.99, min(1, threshold * 1.01), 0.95, 1.0], np.float32)
    moved = calibration.probabilities(np.stack((1 - second, second), axis=1))
    assert moved.sum(axis=1) == pytest.approx(1)
    if 0 < threshold < 1:
        assert np.array_equal(decide(moved) == 1, second >= threshold)


@needs_train
@pytest.mark.parametrize("classes", [2, 5])
def test_the_weights_of_the_last_layer_give_what_the_formula_gives(classes):
    k = keras()
    inputs = k.Input((7,))
    outputs = k.layers.Dense(classes, activation="softmax", name="classes")(inputs)
    model = k.Model(inputs, outputs)
    features = np.random.default_rng(0).normal(0, 2, (100, 7)).astype(np.float32)
    model.layers[-1].bias.assign(np.arange(classes))
    before = np.asarray(model.predict_on_batch(features))
    calibration = Calibration(0.7, 1.8) if classes == 2 else Calibration(0.0, 1.8)
    calibration.write_into(model)
    after = np.asarray(model.predict_on_batch(features))
    assert not np.allclose(before, after, atol=0.01)
    assert after == pytest.approx(calibration.probabilities(before), abs=1e-5)
