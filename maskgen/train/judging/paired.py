"""The same faces masked and unmasked: is the difference of their accuracies more than chance?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.train.data.examples import Example
from maskgen.train.judging.bootstrap import Resampling, interval
from maskgen.train.metrics import Labels


def in_pairs(examples: Sequence[Example]) -> NDArray[np.bool_]:
    """(n,) whether the source of each example occurs both masked and unmasked."""
    sides: dict[str, set[bool | None]] = {}
    for example in examples:
        sides.setdefault(example.source, set()).add(example.masked)
    return np.array([{True, False} <= sides[example.source] for example in examples], dtype=bool)


def compare_pairs(
    examples: Sequence[Example], labels: Labels, predicted: Labels, resampling: Resampling
) -> dict[str, Any] | None:
    """McNemar's test over pairs of a masked image and its unmasked twin; None if there is no pair.

    A source with several masked variants gives one pair, with the first of them: pairs of one source are not
    independent. Several images of one person are not either, which the test ignores; the interval of the
    difference is by person.

    Returns:
        ``n`` pairs by who is right (``both_right``, ``only_masked_right``, ``only_unmasked_right``,
        ``both_wrong``); ``changed``: pairs with two predictions; ``difference``: accuracy masked minus
        unmasked, with its ``interval``; ``exact_p`` and ``mid_p`` (Fagerland et al. 2013), both two-sided.
    """
    twins: dict[str, dict[bool, int]] = {}
    for place, example in enumerate(examples):
        if example.masked is not None:
            twins.setdefault(example.source, {}).setdefault(example.masked, place)
    pairs = np.array([(own[True], own[False]) for own in twins.values() if len(own) == 2], dtype=np.int64)
    if not len(pairs):
        return None
    correct = labels == predicted
    masked, unmasked = correct[pairs].T
    only_masked, only_unmasked = int((masked & ~unmasked).sum()), int((unmasked & ~masked).sum())
    sides = np.zeros((2, len(examples)), bool)
    sides[0, pairs[:, 0]] = sides[1, pairs[:, 1]] = True
    draws = resampling.means(correct, list(sides))
    exact, mid = mcnemar(only_masked, only_unmasked)
    return {
        "n": len(pairs),
        **{"both_right": int((masked & unmasked).sum()), "both_wrong": int((~masked & ~unmasked).sum())},
        **{"only_masked_right": only_masked, "only_unmasked_right": only_unmasked},
        "changed": int((predicted[pairs[:, 0]] != predicted[pairs[:, 1]]).sum()),
        "difference": float(masked.mean() - unmasked.mean()),
        "interval": interval(draws[:, 0] - draws[:, 1]),
        **{"exact_p": exact, "mid_p": mid},
    }


def mcnemar(one: int, other: int) -> tuple[float, float]:
    """The exact and the mid p-value of counts of pairs in which only one of two predictions is right."""
    from scipy.stats import binom

    least, total = min(one, other), one + other
    twice = 2 * float(binom.cdf(least, total, 0.5))
    return min(1.0, twice), min(1.0, twice - float(binom.pmf(least, total, 0.5)))
