"""Classification metrics: accuracy, F1, ROC, calibration error, and Wilson's interval."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.keras_runtime import require

Labels = NDArray[np.int32]
Probabilities = NDArray[np.float32]

BINS = 15  # of the confidence, for the calibration error
Z95 = 1.959963984540054  # normal quantile of a 95 % interval


def decide(probabilities: Probabilities) -> Labels:
    """The predicted class of each row of (n, classes) probabilities: the most probable one."""
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int32)


def wilson(successes: float, total: int) -> tuple[float, float]:
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


def bin_of_confidence(probabilities: Probabilities) -> NDArray[np.int64]:
    """(n,) the bin, of `BINS` of equal width from 0 to 1, of the highest probability of each row."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    return np.asarray(np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1), dtype=np.int64)


def reliability(labels: Labels, probabilities: Probabilities) -> list[dict[str, float]]:
    """Confidence and accuracy of the predictions in bins of confidence; empty bins are omitted.

    Each bin has its number of images `n`, the mean of their highest `confidence`, and their `accuracy`.
    """
    place, correct = bin_of_confidence(probabilities), decide(probabilities) == labels
    counts = np.bincount(place, minlength=BINS)
    confidences = np.bincount(place, probabilities.max(axis=1).astype(np.float64), BINS)
    hits = np.bincount(place, correct, BINS)
    return [
        {"n": int(count), "confidence": float(confidences[n] / count), "accuracy": float(hits[n] / count)}
        for n, count in enumerate(counts)
        if count
    ]


def expected_calibration_error(bins: Sequence[Mapping[str, float]]) -> float:
    """The mean gap of confidence and accuracy over the bins of `reliability`, weighted by their images.

    With 15 bins, as in Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    total = sum(each["n"] for each in bins)
    return sum(each["n"] / total * abs(each["accuracy"] - each["confidence"]) for each in bins)


def scores(
    labels: Labels,
    probabilities: Probabilities,
    classes: Sequence[str],
    dropped: int = 0,
) -> dict[str, Any]:
    """All metrics of one set of predictions, as JSON values.

    `confusion` has a row for each true class and a column for each predicted one. `f1` is the mean of
    the classes that occur in labels or predictions, `balanced_accuracy` the mean recall of those in labels.
    `roc_auc` is the mean of one-against-rest for more than two classes. `largest_class_share` is the accuracy
    of always answering with the most common class. `ece` is the calibration error of `reliability`.
    `accuracy_of_all` counts `dropped` images, which have no prediction, as wrong.

    `labels` are (n,) true classes, `probabilities` (n, classes).
    """
    predicted, total = decide(probabilities), len(labels)
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
        "accuracy_of_all": correct / (total + dropped) if total + dropped else None,
        "balanced_accuracy": float(recall[actual > 0].mean()) if total else None,
        "largest_class_share": int(actual.max()) / total if total else None,
        "f1": float(f1[occurring].mean()) if total else None,
        "roc_auc": float(np.mean(areas)) if areas else None,
        "ece": expected_calibration_error(reliability(labels, probabilities)) if total else None,
        "classes": {
            name: {column: values[place].item() for column, values in table.items()}
            for place, name in enumerate(classes)
        },
        "confusion": counts.tolist(),
    }
