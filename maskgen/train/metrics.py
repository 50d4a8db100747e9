"""Classification metrics: accuracy, Wilson interval, F1, ROC. A test compares them with scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]
Probabilities = NDArray[np.float32]

Z95 = 1.959963984540054  # normal quantile of a 95 % interval


def decide(probabilities: Probabilities, threshold: float | None) -> Labels:
    """The predicted class of each row.

    Args:
        probabilities: (n, classes).
        threshold: For two classes: the second one is predicted from this probability. None predicts the most
            probable class.
    """
    if probabilities.shape[1] == 2 and threshold is not None:
        return np.asarray(probabilities[:, 1] >= threshold, dtype=np.int32)
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int32)


def choose_threshold(labels: Labels, probabilities: Probabilities) -> float | None:
    """The decision threshold with the best balanced accuracy; the nearest to 0.5 of equally good ones.

    Returns:
        The threshold for the second of two classes; None for more classes, or if a class is missing.
    """
    if probabilities.shape[1] != 2 or len(np.unique(labels)) < 2:
        return None
    scores = probabilities[:, 1].astype(np.float64)
    cuts = np.unique(scores)
    candidates = np.concatenate(((cuts[:-1] + cuts[1:]) / 2, [0.5]))
    positive, negative = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    recall = 1 - np.searchsorted(positive, candidates) / len(positive)
    specificity = np.searchsorted(negative, candidates) / len(negative)
    balanced = recall + specificity
    best = candidates[np.isclose(balanced, balanced.max(), rtol=0, atol=1e-12)]
    return float(best[np.abs(best - 0.5).argmin()])


def confusion(labels: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts: a row for each true class, a column for each predicted class."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def wilson(successes: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share; (0, 1) if `total` is 0."""
    if not total:
        return 0.0, 1.0
    share, square = successes / total, Z95**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = Z95 / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def roc(truth: NDArray[np.bool_], scores: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False and true positive rates from (0, 0) to (1, 1): a point for each distinct score."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(truth[order])[ends]
    false = ends + 1 - true
    return (
        np.concatenate(([0.0], false / max(false[-1], 1))),
        np.concatenate(([0.0], true / max(true[-1], 1))),
    )


def roc_auc(labels: Labels, probabilities: Probabilities) -> float | None:
    """Area under the ROC curve; for more than two classes the mean of one-against-rest.

    Returns:
        The area, or None if a class is missing.
    """
    classes = probabilities.shape[1]
    if len(np.unique(labels)) < classes:
        return None
    places = (1,) if classes == 2 else range(classes)
    areas = []
    for place in places:
        false, true = roc(labels == place, probabilities[:, place])
        areas.append(float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2)))
    return float(np.mean(areas))


def scores(
    labels: Labels,
    probabilities: Probabilities,
    classes: Sequence[str],
    threshold: float | None,
    dropped: int = 0,
) -> dict[str, Any]:
    """All metrics of one set of predictions, as JSON values.

    The means over classes are those of scikit-learn: ``f1_score(average="macro")`` over the classes that
    occur in labels or predictions, and ``balanced_accuracy_score`` over the classes that occur in labels.

    Args:
        labels: (n,) true classes.
        probabilities: (n, classes).
        classes: Names of the classes.
        threshold: See `decide`.
        dropped: Number of images without a prediction; `accuracy_of_all` counts them as wrong.
    """
    predicted = decide(probabilities, threshold)
    counts = confusion(labels, predicted, len(classes))
    correct, total = int(np.trace(counts)), len(labels)
    per_class = {name: _class_scores(counts, place) for place, name in enumerate(classes)}
    recalls = [figures["recall"] for figures in per_class.values() if figures["n"]]
    occurring = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return {
        "n": total,
        "dropped": dropped,
        "accuracy": correct / total if total else None,
        "interval": list(wilson(correct, total)),
        "accuracy_of_all": correct / (total + dropped) if total + dropped else None,
        "balanced_accuracy": _mean(recalls),
        "f1": _mean([per_class[classes[place]]["f1"] for place in occurring]),
        "roc_auc": roc_auc(labels, probabilities) if total else None,
        "classes": per_class,
        "confusion": counts.tolist(),
    }


def _class_scores(counts: NDArray[np.int64], place: int) -> dict[str, float | int]:
    """Precision, recall and F1 of one class; 0 for a division by zero, as in scikit-learn."""
    correct = int(counts[place, place])
    predicted, actual = int(counts[:, place].sum()), int(counts[place].sum())
    return {
        "n": actual,
        "precision": correct / predicted if predicted else 0.0,
        "recall": correct / actual if actual else 0.0,
        "f1": 2 * correct / (predicted + actual) if predicted + actual else 0.0,
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
