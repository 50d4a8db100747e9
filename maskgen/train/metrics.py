"""How well predictions agree with labels, with numpy alone; a test holds it against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]
Probabilities = NDArray[np.float32]

Z95 = 1.959963984540054  # of a 95 % interval


def decide(probabilities: Probabilities, threshold: float | None) -> Labels:
    """The class of each row: with a threshold the second of two where it reaches it, else the most probable.

    Args:
        probabilities: (n, classes).
        threshold: For two classes; None for 0.5.
    """
    if probabilities.shape[1] == 2 and threshold is not None:
        return np.asarray(probabilities[:, 1] >= threshold, dtype=np.int32)
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int32)


def choose_threshold(labels: Labels, probabilities: Probabilities) -> float | None:
    """The probability of the second class from which on it is said, as validation has it best.

    It maximises the mean of both classes' recalls; of equally good ones it is that nearest to 0.5. None for
    more than two classes, or where one of the two is missing.
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
    """Counts: a row for each true class, a column for each that was said."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def wilson(successes: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; from 0 to 1 where nothing was counted."""
    if not total:
        return 0.0, 1.0
    share, square = successes / total, Z95**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = Z95 / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def roc(truth: NDArray[np.bool_], scores: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve's false and true positive rates, from (0, 0) to (1, 1), a point for each distinct score."""
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
    """The area under the curve; of more than two classes the mean over each against the rest.

    None where a class is missing: there is no curve then.
    """
    classes = probabilities.shape[1]
    if len(np.unique(labels)) < classes:
        return None
    wanted = (1,) if classes == 2 else range(classes)
    areas = []
    for place in wanted:
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
    """Every figure of one set of predictions, as JSON values.

    Means over the classes are scikit-learn's: of F1 over those that are there or were said
    (``f1_score(average="macro")``), of the recalls over those that are there (``balanced_accuracy_score``).

    Args:
        labels: (n,) true classes.
        probabilities: (n, classes).
        classes: Their names.
        threshold: As for `decide`.
        dropped: Images of the set that could not be judged; `accuracy_of_all` counts them as wrong.
    """
    predicted = decide(probabilities, threshold)
    counts = confusion(labels, predicted, len(classes))
    right, total = int(np.trace(counts)), len(labels)
    per_class = {name: _of_class(counts, place) for place, name in enumerate(classes)}
    found = [figures for figures in per_class.values() if figures["n"]]
    met = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return {
        "n": total,
        "dropped": dropped,
        "accuracy": right / total if total else None,
        "interval": list(wilson(right, total)),
        "accuracy_of_all": right / (total + dropped) if total + dropped else None,
        "balanced_accuracy": _mean([figures["recall"] for figures in found]),
        "f1": _mean([per_class[classes[place]]["f1"] for place in met]),
        "roc_auc": roc_auc(labels, probabilities) if total else None,
        "classes": per_class,
        "confusion": counts.tolist(),
    }


def _of_class(counts: NDArray[np.int64], place: int) -> dict[str, float | int]:
    """Precision, recall and F1 of one class; 0 where they would divide by nothing, as scikit-learn has it."""
    right = int(counts[place, place])
    said, there = int(counts[:, place].sum()), int(counts[place].sum())
    return {
        "n": there,
        "precision": right / said if said else 0.0,
        "recall": right / there if there else 0.0,
        "f1": 2 * right / (said + there) if said + there else 0.0,
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
