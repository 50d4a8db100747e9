"""Classification metrics: accuracy, Wilson interval, F1, ROC, and the decision threshold."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.keras_runtime import require

Labels = NDArray[np.int32]
Probabilities = NDArray[np.float32]

Z95 = 1.959963984540054  # normal quantile of a 95 % interval


def decide(probabilities: Probabilities, threshold: float | None) -> Labels:
    """The predicted class of each row of (n, classes) probabilities: the most probable one.

    Of two classes, the second one is predicted from the threshold, if there is one.
    """
    if probabilities.shape[1] == 2 and threshold is not None:
        return np.asarray(probabilities[:, 1] >= threshold, dtype=np.int32)
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int32)


def choose_threshold(labels: Labels, probabilities: Probabilities) -> float | None:
    """The threshold with the best balanced accuracy; of equally good ones, the nearest to 0.5.

    None for more than two classes, or if one is missing.
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


def wilson(successes: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share; (0, 1) if `total` is 0."""
    if not total:
        return 0.0, 1.0
    share, square = successes / total, Z95**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = Z95 / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def roc(
    truth: NDArray[np.bool_], scores: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """False and true positive rates at each distinct score, and the area under this curve."""
    require("sklearn")
    from sklearn.metrics import auc, roc_curve

    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    return false, true, float(auc(false, true))


def scores(
    labels: Labels,
    probabilities: Probabilities,
    classes: Sequence[str],
    threshold: float | None,
    dropped: int = 0,
) -> dict[str, Any]:
    """All metrics of one set of predictions, as JSON values.

    `confusion` has a row for each true class and a column for each predicted one. `f1` is the mean of
    the classes that occur in labels or predictions, `balanced_accuracy` the mean recall of those in labels.
    `roc_auc` is the mean of one-against-rest for more than two classes.
    `accuracy_of_all` counts `dropped` images, which have no prediction, as wrong.

    `labels` are (n,) true classes, `probabilities` (n, classes); see `decide` for `threshold`.
    """
    predicted, total = decide(probabilities, threshold), len(labels)
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    hits, actual, named = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    correct, occurring = int(hits.sum()), actual + named > 0
    # A division by zero gives 0, as in scikit-learn.
    recall, precision = hits / np.maximum(actual, 1), hits / np.maximum(named, 1)
    f1 = 2 * hits / np.maximum(actual + named, 1)
    places = (1,) if len(classes) == 2 else range(len(classes))
    # An area needs all classes.
    areas = [roc(labels == place, probabilities[:, place])[2] for place in places] if actual.all() else []
    table = {"n": actual, "precision": precision, "recall": recall, "f1": f1}
    return {
        "n": total,
        "dropped": dropped,
        "accuracy": correct / total if total else None,
        "interval": list(wilson(correct, total)),
        "accuracy_of_all": correct / (total + dropped) if total + dropped else None,
        "balanced_accuracy": float(recall[actual > 0].mean()) if total else None,
        "f1": float(f1[occurring].mean()) if total else None,
        "roc_auc": float(np.mean(areas)) if areas else None,
        "classes": {
            name: {column: values[place].item() for column, values in table.items()}
            for place, name in enumerate(classes)
        },
        "confusion": counts.tolist(),
    }
