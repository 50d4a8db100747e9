"""All figures of one model on one set, as JSON values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.train.data.examples import reasons
from maskgen.train.judge import Judged
from maskgen.train.judging.bootstrap import DRAWS, Resampling, Units, figure_intervals, share_interval
from maskgen.train.judging.groups import equalised_odds, groups_of
from maskgen.train.judging.paired import compare_pairs, in_pairs
from maskgen.train.metrics import decide, reliability, scores


def figures(judged: Judged, by: Sequence[str]) -> dict[str, Any]:
    """All figures of one model on one set, grouped by columns or by all existing `GROUPS`.

    Every ``interval`` is a 95 % interval of the accuracy, by the bootstrap over persons, or over source
    images where persons are unknown.

    Returns:
        `maskgen.train.metrics.scores` of all examples; ``intervals`` of these, with what was drawn;
        ``reliability``: the bins of the calibration error; ``by_group``: column -> value -> figures, with the
        difference of best and worst accuracy and the equalised odds; ``by_mask``, if there are masked and
        unmasked images: the figures of both; ``pairs`` and ``paired``, if there are any: the same sources
        masked and unmasked, and their comparison; and ``why_dropped``.
    """
    labels, probabilities, classes = judged.labels, judged.probabilities, judged.spec.classes
    predicted, everything = decide(probabilities), np.ones(len(labels), bool)
    units = Units.of_examples(judged.examples)
    resampling = Resampling(units)
    masked = np.array([each.masked is True for each in judged.examples])
    unmasked = np.array([each.masked is False for each in judged.examples])

    def of_subsets(subsets: dict[str, NDArray[np.bool_]], dropped: int = 0) -> dict[str, dict[str, Any]]:
        intervals = share_interval(resampling, predicted == labels, list(subsets.values()))
        return {
            name: {**scores(labels[own], probabilities[own], classes, dropped), "interval": low_high}
            for (name, own), low_high in zip(subsets.items(), intervals, strict=True)
        }

    by_group: dict[str, Any] = {}
    for column, groups in groups_of(judged.examples, by, f"{judged.model} on {judged.of}").items():
        found = of_subsets(groups)
        accuracies = [group["accuracy"] for group in found.values()]
        odds = equalised_odds(groups, labels, predicted, classes, resampling)
        difference = max(accuracies) - min(accuracies)
        by_group[column] = {"groups": found, "difference": difference, "equalised_odds": odds}
    dropped = sum(each.is_missed for each in judged.dropped)
    drawn = {"unit": units.kind, "units": units.count, "draws": DRAWS}
    result: dict[str, Any] = {
        **{"model": judged.model, "set": judged.of},
        **of_subsets({"all": everything}, dropped)["all"],
        "intervals": {**drawn, **figure_intervals(resampling, labels, probabilities)},
        "reliability": reliability(labels, probabilities),
        **{"why_dropped": reasons(judged.dropped), "by_group": by_group},
    }
    if masked.any() and unmasked.any():
        result["by_mask"] = of_subsets({"masked": masked, "unmasked": unmasked})
    pairs = in_pairs(judged.examples)
    if pairs.any():
        result["pairs"] = of_subsets({"masked": pairs & masked, "unmasked": pairs & unmasked})
        result["paired"] = compare_pairs(judged.examples, labels, predicted, resampling)
    return result
