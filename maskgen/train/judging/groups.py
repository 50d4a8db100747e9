"""Groups of examples, and how far true and false positive rates differ between them."""

import logging
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.train.data.examples import Example
from maskgen.train.judging.bootstrap import Resampling, interval
from maskgen.train.metrics import Labels

# Default columns to group by, if the data have them.
GROUPS = ("template", "kind", "wear", "blend", "split", "race", "age", "gender")
# Maximum number of groups in a column.
MOST_GROUPS = 40
# Columns that are fields of `Example` and not attributes.
OWN_COLUMNS = ("split", "masked", "data", "identity")
# A rate of fewer images says little: its 95 % interval is wider than 0.4.
LEAST_IMAGES = 20

log = logging.getLogger("maskgen")

Mask = NDArray[np.bool_]


def groups_of(examples: Sequence[Example], by: Sequence[str], title: str) -> dict[str, dict[str, Mask]]:
    """Column -> value -> which examples have it, for the columns `by` or all existing `GROUPS`.

    Ages in years are grouped by tens. A column with one value or too many has no groups: a warning says so,
    with the `title` of the examples, if the column was requested.
    """
    columns = {}
    for column in by or GROUPS:
        values = _group_values(examples, column)
        distinct = sorted({value for value in values if value is not None}, key=_sort_key)
        if 2 <= len(distinct) <= MOST_GROUPS:
            columns[column] = {value: np.array([own == value for own in values]) for value in distinct}
        elif by:
            reason = f"it has {len(distinct):,} different values; the maximum is {MOST_GROUPS}"
            if len(distinct) < 2:
                reason = f"all images that have it have {distinct[0]}" if distinct else "no image has it"
            log.warning("%s is not grouped by %s: %s", title, column, reason)
    return columns


def _group_values(examples: Sequence[Example], column: str) -> list[str | None]:
    """The value of each example as text; ages in years are grouped by tens, and other texts unchanged."""
    values = [
        getattr(each, column) if column in OWN_COLUMNS else each.attributes.get(column) for each in examples
    ]
    texts = [None if value is None else str(value) for value in values]
    if len({*texts} - {None}) <= MOST_GROUPS:
        return texts
    return [text and re.sub(r"\A(\d{1,15})(\.\d+)?\Z", _decade, text) for text in texts]


def _decade(number: re.Match[str]) -> str:
    """The decade "20-29" of "23" or "23.5"."""
    first = int(number[1]) // 10 * 10
    return f"{first}-{first + 9}"


def _sort_key(value: str) -> tuple[float, str]:
    """Sort "3-9" and "(4, 6)" before "10-19", and "more than 70" after all numbers."""
    number = re.match(r"\d+", value.lstrip("("))
    return float(number[0]) if number else math.inf, value


def equalised_odds(
    groups: Mapping[str, Mask],
    labels: Labels,
    predicted: Labels,
    classes: Sequence[str],
    resampling: Resampling,
) -> dict[str, Any] | None:
    """The differences of true and of false positive rates between the best and the worst group.

    The equalised-odds difference is the larger of both (Hardt et al. 2016). With two classes, the second one
    is the positive one; with more, each is against the rest, and the one with the largest difference is
    reported. Only groups with at least `LEAST_IMAGES` images in the denominator of a rate take part in it;
    None if those are fewer than two for both rates.

    The interval of a difference is that between the two named groups. They were chosen for being the
    extremes, so an interval that does not contain 0 is no proof of a difference.
    """
    found = []
    for place in (1,) if len(classes) == 2 else range(len(classes)):
        positive, named = labels == place, predicted == place
        sides = {
            "true_positive_rate": {name: group & positive for name, group in groups.items()},
            "false_positive_rate": {name: group & ~positive for name, group in groups.items()},
        }
        rates = {rate: _rates(own, named) for rate, own in sides.items()}
        difference = max(max(own.values()) - min(own.values()) if own else -1.0 for own in rates.values())
        found.append((difference, place, sides, rates))
    difference, place, sides, rates = max(found, key=lambda each: each[0])
    if difference < 0:
        return None
    return {
        **{"class": classes[place], "least_images": LEAST_IMAGES, "difference": difference},
        **{rate: _difference(sides[rate], rates[rate], predicted == place, resampling) for rate in rates},
    }


def _rates(sides: Mapping[str, Mask], named: Mask) -> dict[str, float]:
    """The share of `named` in each side that is large enough; empty if those are fewer than two."""
    rates = {name: float(named[side].mean()) for name, side in sides.items() if side.sum() >= LEAST_IMAGES}
    return rates if len(rates) > 1 else {}


def _difference(
    sides: Mapping[str, Mask], rates: Mapping[str, float], named: Mask, resampling: Resampling
) -> dict[str, Any] | None:
    """The difference of the highest and the lowest rate, with its interval."""
    if not rates:
        return None
    lowest, highest = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
    draws = resampling.means(named, [sides[highest], sides[lowest]])
    return {
        "difference": rates[highest] - rates[lowest],
        "interval": interval(draws[:, 0] - draws[:, 1]),
        **{"highest": highest, "lowest": lowest, "rates": rates},
        "too_small": [name for name in sides if name not in rates],
    }
