"""Fit shift and temperature on the validation split.

Bounds and a prior keep a tiny or perfectly separated split from moving the probabilities far: the likelihood
of separated examples grows without end as the temperature falls. The prior is a normal distribution of log T
around 0; over some hundred examples it has no weight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.train.judging.bootstrap import Interval, Resampling, interval
from maskgen.train.metrics import Labels, Probabilities
from maskgen.train.model.calibration import Calibration

# A threshold between 0.0025 and 0.9975: beyond them, the model is wrong and no cut mends it.
MOST_SHIFT = 6.0
TEMPERATURES = (0.5, 10.0)
PRIOR_DEVIATION = 0.5  # of log T


@dataclass(frozen=True)
class Fitted:
    """A calibration, and the interval of the threshold in it; None if no threshold could be chosen."""

    calibration: Calibration
    threshold_interval: Interval | None


def fit_calibration(labels: Labels, probabilities: Probabilities, resampling: Resampling) -> Fitted:
    """The shift with the best balanced accuracy, then the temperature with the best likelihood.

    The shift is the mean of the best ones of the bootstrap's draws, because the best one of the split itself
    is noisy: chosen on 60 to 1,000 images, the mean had between 0.1 points less and 0.8 points more balanced
    accuracy on other images. For more than two classes, or if one is missing, the shift is 0.

    The likelihood counts every class alike, as the balanced accuracy does.

    `labels` are (n,) true classes, `probabilities` (n, classes) of the model as it was trained, `resampling`
    the draws of these examples.
    """
    shift, threshold_interval = 0.0, None
    if probabilities.shape[1] == 2 and len(np.unique(labels)) == 2:
        draws = [_best_shifts(labels, probabilities, weights) for weights in resampling.weights()]
        shifts = np.concatenate(draws)
        if low_high := interval(shifts):
            shift = float(np.nanmean(shifts))
            threshold_interval = [Calibration(each).threshold for each in low_high]
    moved = Calibration(shift).probabilities(probabilities)
    return Fitted(Calibration(shift, _best_temperature(labels, moved)), threshold_interval)


def _best_shifts(
    labels: Labels, probabilities: Probabilities, weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(draws,) the cut of the log-odds with the best balanced accuracy; of several, the one nearest to 0.

    `weights`: (draws, n) of the examples. A draw without one of the classes gives NaN.
    """
    log_odds = np.diff(np.log(np.maximum(probabilities.astype(np.float64), 1e-37)), axis=1)[:, 0]
    order = np.argsort(log_odds, kind="stable")
    ordered, second = log_odds[order], labels[order] == 1
    different = np.unique(ordered)
    cuts = np.append((different[:-1] + different[1:]) / 2, 0.0)
    cuts = np.sort(cuts[np.abs(cuts) <= MOST_SHIFT])
    below = np.searchsorted(ordered, cuts)  # number of examples below each cut
    own = weights[:, order]
    missed, held = (
        np.pad(np.cumsum(own * side, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
        for side in (second, ~second)
    )
    with np.errstate(invalid="ignore"):
        balanced = held[:, below] / held[:, -1:] - missed[:, below] / missed[:, -1:]
    best = balanced >= balanced.max(axis=1, keepdims=True) - 1e-12
    chosen = cuts[np.where(best, np.abs(cuts), np.inf).argmin(axis=1)]
    return np.where(np.isfinite(balanced).all(axis=1), chosen, np.nan)


def _best_temperature(labels: Labels, probabilities: Probabilities) -> float:
    """The temperature, within `TEMPERATURES`, of the best class-balanced likelihood and the prior."""
    from scipy.optimize import minimize_scalar

    counts = np.bincount(labels, minlength=probabilities.shape[1])
    weights = 1 / (np.count_nonzero(counts) * counts[labels])
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-37))
    own = logits[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        temperature = np.exp(log_temperature)
        scaled = logits / temperature
        highest = scaled.max(axis=1)
        normaliser = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
        prior = 0.5 * (log_temperature / PRIOR_DEVIATION) ** 2 / len(labels)
        return float(weights @ (normaliser - own / temperature) + prior)

    bounds = tuple(np.log(TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
