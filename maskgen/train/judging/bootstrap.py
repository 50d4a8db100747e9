"""Intervals of figures by the bootstrap: persons are drawn with replacement, with all their images.

The images of one person are right or wrong together, so an interval that takes them for independent is too
narrow. Every figure here but the ROC area is a function of sums over images: the sums of each unit are
counted once, and a draw is a product with the number of times that each unit was drawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.train.data.examples import Example
from maskgen.train.metrics import BINS, Labels, Probabilities, bin_of_confidence, decide, wilson

DRAWS, SEED = 1000, 0
# Numbers in memory at a time.
_CHUNK = 1 << 22

Interval = list[float]


@dataclass(frozen=True)
class Units:
    """What is drawn: persons, or source images where persons are unknown."""

    kind: str  # "person", "source image", or "person or source image" if some persons are unknown
    of: NDArray[np.int64]  # (n,) the number of each example's unit
    count: int

    @classmethod
    def of_examples(cls, examples: Sequence[Example]) -> "Units":
        """The units of examples; a masked image and its unmasked twin are in one."""
        keys = [each.identity or each.source or each.id for each in examples]
        known = {each.identity is not None for each in examples}
        kind = "person or source image" if len(known) > 1 else "person" if True in known else "source image"
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        return cls(kind, np.array([numbers[key] for key in keys], dtype=np.int64), len(numbers))


class Resampling:
    """`DRAWS` draws of the units of n examples, the same for every figure of these examples."""

    def __init__(self, units: Units) -> None:
        self.units = units
        generator = np.random.default_rng(SEED)
        # (draws, units): how often each unit is drawn. More than 255 times does not happen.
        self._counts = np.empty((DRAWS, units.count), np.uint8)
        for draw in range(DRAWS):
            drawn = generator.integers(0, units.count, units.count)
            self._counts[draw] = np.bincount(drawn, minlength=units.count)

    def sums(
        self, rows: NDArray[Any], columns: NDArray[Any], values: NDArray[Any], width: int
    ) -> NDArray[np.float64]:
        """(draws, width) sums of values in each draw.

        `rows`, `columns`, `values`: (m,) each value is of the example in `rows`, and in the sum in `columns`.
        """
        from scipy import sparse

        places = self.units.of[rows], columns
        shape = self.units.count, width
        by_unit = sparse.csr_matrix((values.astype(np.float32), places), shape=shape).T
        step = max(1, _CHUNK // max(self.units.count, 1))
        parts = [
            (by_unit @ self._counts[start : start + step].T.astype(np.float32)).T
            for start in range(0, DRAWS, step)
        ]
        return np.concatenate(parts).astype(np.float64)

    def means(self, values: NDArray[Any], subsets: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
        """(draws, subsets) the mean of (n,) `values` over each subset of the examples; NaN without any."""
        rows = [np.flatnonzero(subset) for subset in subsets]
        columns = [np.full(len(own), 2 * place) for place, own in enumerate(rows)]
        row, column = np.concatenate(rows), np.concatenate(columns)
        both = np.concatenate((values[row], np.ones(len(row))))
        sums = self.sums(np.tile(row, 2), np.concatenate((column, column + 1)), both, 2 * len(subsets))
        with np.errstate(invalid="ignore"):
            return np.asarray(sums[:, 0::2] / sums[:, 1::2])

    def weights(self) -> Iterator[NDArray[np.float32]]:
        """The weights of the examples in all draws, in chunks of (some draws, n)."""
        step = max(1, _CHUNK // max(len(self.units.of), 1))
        for start in range(0, DRAWS, step):
            yield self._counts[start : start + step].astype(np.float32)[:, self.units.of]


def interval(draws: NDArray[np.float64]) -> Interval | None:
    """The 95 % percentile interval of a figure's (draws,) values; None if it has no value in any draw."""
    known = draws[np.isfinite(draws)]
    return [float(value) for value in np.percentile(known, (2.5, 97.5))] if len(known) else None


def share_interval(
    resampling: Resampling, correct: NDArray[np.bool_], subsets: Sequence[NDArray[np.bool_]]
) -> list[Interval]:
    """The interval of the accuracy in each subset of the examples.

    Where every draw gives the same, as of answers that are all right, or of a single person, Wilson's
    interval for the number of units stands in.
    """
    draws = resampling.means(correct, subsets)
    intervals = []
    for place, subset in enumerate(subsets):
        own = interval(draws[:, place])
        if own is None or own[1] - own[0] < 1e-9:
            units = len(np.unique(resampling.units.of[subset]))
            own = list(wilson(float(correct[subset].mean()) * units if units else 0, units))
        intervals.append(own)
    return intervals


def figure_intervals(
    resampling: Resampling, labels: Labels, probabilities: Probabilities
) -> dict[str, Interval | None]:
    """The intervals of the figures of `maskgen.train.metrics.scores` that depend on all examples."""
    predicted, classes, n = decide(probabilities), probabilities.shape[1], len(labels)
    every, correct = np.arange(n), predicted == labels
    confidence, place = probabilities.max(axis=1), bin_of_confidence(probabilities)
    rows = np.concatenate((every, every, every[correct], every))
    columns = np.concatenate(
        (labels, classes + predicted, 2 * classes + labels[correct], 3 * classes + place)
    )
    # The calibration error is the sum, over the bins, of |hits - confidences|, divided by the images.
    values = np.concatenate((np.ones(2 * n + int(correct.sum())), correct - confidence))
    sums = resampling.sums(rows, columns, values, 3 * classes + BINS)
    actual, named, hits, gaps = np.split(sums, (classes, 2 * classes, 3 * classes), axis=1)
    total = actual.sum(axis=1)
    with np.errstate(invalid="ignore"):
        recall, f1 = hits / actual, 2 * hits / (actual + named)
    figures = {
        "accuracy": hits.sum(axis=1) / total,
        "balanced_accuracy": _mean_of_known(recall),
        "f1": _mean_of_known(f1),
        "ece": np.abs(gaps).sum(axis=1) / total,
    }
    intervals = {name: interval(values) for name, values in figures.items()}
    (intervals["accuracy"],) = share_interval(resampling, correct, [np.ones(n, bool)])
    if classes == 2:
        intervals["roc_auc"] = interval(_areas(resampling, labels == 1, probabilities[:, 1]))
    return intervals


def _mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(draws,) the mean of each row of (draws, classes) without NaN."""
    known = np.isfinite(values)
    return np.asarray(np.where(known, values, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))


def _areas(
    resampling: Resampling, truth: NDArray[np.bool_], scores: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(draws,) the area under the ROC curve: the share of pairs in order, ties as half a pair."""
    order = np.argsort(scores, kind="stable")
    _, starts = np.unique(scores[order], return_index=True)
    areas = []
    for weights in resampling.weights():
        own = weights[:, order]
        positive = np.add.reduceat(own * truth[order], starts, axis=1)
        negative = np.add.reduceat(own * ~truth[order], starts, axis=1)
        below = np.cumsum(negative, axis=1, dtype=np.float64) - negative / 2
        with np.errstate(invalid="ignore"):
            areas.append((positive * below).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1)))
    return np.concatenate(areas)
