"""Every figure against scikit-learn's, on predictions of all kinds."""

import numpy as np
import pytest
from sklearn import metrics as reference

from maskgen.train.metrics import decide, expected_calibration_error, reliability, roc, scores, wilson


def predictions(classes, count=200, seed=0):
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, classes, count).astype(np.int32)
    logits = draws.normal(0, 1, (count, classes)) + 1.2 * np.eye(classes)[labels]
    # Rounded, so that there are ties.
    exponentials = np.exp(logits.round(1))
    return labels, (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_figures_are_scikit_learns(classes):
    labels, probabilities = predictions(classes)
    names = [f"class {place}" for place in range(classes)]
    found = scores(labels, probabilities, names, dropped=50)
    said = decide(probabilities)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(labels, said))
    assert found["accuracy_of_all"] == pytest.approx((labels == said).sum() / 250)
    assert found["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(labels, said))
    assert found["f1"] == pytest.approx(reference.f1_score(labels, said, average="macro"))
    assert found["confusion"] == reference.confusion_matrix(labels, said).tolist()
    table = reference.precision_recall_fscore_support(labels, said)
    for place, name in enumerate(names):
        own = found["classes"][name]
        assert (own["precision"], own["recall"], own["f1"], own["n"]) == pytest.approx(
            tuple(column[place] for column in table)
        )
    if classes == 2:
        area = reference.roc_auc_score(labels, probabilities[:, 1])
    else:
        normalised = probabilities.astype(float) / probabilities.astype(float).sum(axis=1, keepdims=True)
        area = reference.roc_auc_score(labels, normalised, multi_class="ovr")
    assert found["roc_auc"] == pytest.approx(area, abs=1e-6)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's, of classes that are not there
@pytest.mark.parametrize("there", [(0,), (1,), (0, 2)])
def test_means_are_scikit_learns_where_a_class_is_said_that_is_not_there(there):
    labels, probabilities = predictions(3)
    chosen = np.isin(labels, there)
    labels, probabilities = labels[chosen], probabilities[chosen]
    found, said = scores(labels, probabilities, "abc"), decide(probabilities)
    assert set(said) == {0, 1, 2}
    expected = reference.f1_score(labels, said, average="macro", zero_division=0)
    assert found["f1"] == pytest.approx(expected)
    assert found["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(labels, said))


def test_the_curve_is_scikit_learns():
    labels, probabilities = predictions(2)
    false, true, area = roc(labels == 1, probabilities[:, 1])
    expected = reference.roc_curve(labels, probabilities[:, 1], drop_intermediate=False)
    assert false == pytest.approx(expected[0])
    assert true == pytest.approx(expected[1])
    assert area == pytest.approx(reference.roc_auc_score(labels, probabilities[:, 1]))


def test_a_class_that_is_never_said_or_never_there_divides_by_nothing():
    labels = np.array([0, 0, 1], np.int32)
    sure = np.tile(np.array([1, 0, 0], np.float32), (3, 1))
    found = scores(labels, sure, ("a", "b", "c"))
    assert found["classes"]["b"] == {"n": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert found["roc_auc"] is None
    assert scores(np.zeros(0, np.int32), np.zeros((0, 2), np.float32), ("a", "b"))["accuracy"] is None


@pytest.mark.parametrize(
    ("successes", "total", "expected"),
    # The first from Wilson's formula by hand; the others are its limits.
    [(8, 10, (0.4902, 0.9433)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (0, 0, (0.0, 1.0))],
)
def test_wilson(successes, total, expected):
    assert wilson(successes, total) == pytest.approx(expected, abs=1e-4)


def test_rows_of_the_confusion_are_the_truth():
    said = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    found = scores(np.array([0, 0, 1], np.int32), said, ("a", "b"))
    assert found["confusion"] == [[1, 1], [0, 1]]


def test_balanced_accuracy_stands_beside_the_share_of_the_largest_class():
    said = np.eye(2, dtype=np.float32)[[1, 1, 1, 1]]
    found = scores(np.array([0, 1, 1, 1], np.int32), said, ("a", "b"))
    assert (found["accuracy"], found["balanced_accuracy"], found["largest_class_share"]) == (0.75, 0.5, 0.75)


def test_the_calibration_error_is_the_mean_gap_of_15_bins():
    # Two bins: four images at .9 of which two are right, and one at .6 that is right.
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.4, 0.6]], np.float32)
    labels = np.array([0, 0, 1, 1, 1], np.int32)
    bins = reliability(labels, probabilities)
    assert [(each["n"], each["accuracy"]) for each in bins] == [(1, 1.0), (4, 0.5)]
    assert [each["confidence"] for each in bins] == pytest.approx([0.6, 0.9])
    assert expected_calibration_error(bins) == pytest.approx((1 * 0.4 + 4 * 0.4) / 5)
    sure = np.eye(2, dtype=np.float32)
    assert expected_calibration_error(reliability(np.array([0, 1], np.int32), sure)) == 0


def test_the_calibration_error_of_probabilities_that_are_true_goes_to_0():
    draws = np.random.default_rng(0)
    second = draws.random(100_000, dtype=np.float32)
    labels = (draws.random(100_000) < second).astype(np.int32)
    probabilities = np.stack((1 - second, second), axis=1)
    assert expected_calibration_error(reliability(labels, probabilities)) < 0.01
    skewed = np.stack((1 - second**2, second**2), axis=1)
    assert expected_calibration_error(reliability(labels, skewed)) > 0.05
