"""Evaluate models on data sets: overall, by group and for masked/unmasked pairs; tables and plots."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import UsageError
from maskgen.files.atomic import write_atomic
from maskgen.results.manifest import read_manifest
from maskgen.train.card import class_table
from maskgen.train.data.examples import Example, reasons
from maskgen.train.data.from_manifest import FACE_FIELDS, MANIFEST
from maskgen.train.data.gather import is_plain_tree
from maskgen.train.judge import Judged
from maskgen.train.metrics import scores
from maskgen.train.plots import plot_bars, plot_roc
from maskgen.train.run_folder import (
    markdown_table,
    write_csv,
    write_dropped,
    write_json,
    write_predictions,
)

# Default columns to group by, if the data have them.
GROUPS = ("template", "kind", "wear", "blend", "split", "race", "age", "gender")
# Maximum number of groups in a column.
MOST_GROUPS = 40
# Columns that are fields of `Example` and not attributes.
OWN_COLUMNS = ("split", "masked", "data", "identity")

log = logging.getLogger("maskgen")


def figures(
    judged: Judged, classes: Sequence[str], threshold: float | None, by: Sequence[str]
) -> dict[str, Any]:
    """All figures of one model on one set, as JSON values.

    Args:
        judged: The predictions of the model.
        classes: Its classes.
        threshold: Its decision threshold.
        by: Columns to group by; all existing `GROUPS` by default. A column with many numbers is grouped by
            tens.

    Returns:
        `maskgen.train.metrics.scores` of all examples; ``by_group``: column -> value -> figures, with the
        difference of best and worst accuracy; ``pairs``, if there are any: the same sources masked and
        unmasked; and ``why_dropped``.
    """
    missed = sum(each.is_missed for each in judged.dropped)
    everything = np.ones(len(judged.examples), bool)
    by_group = {}
    for column in by or GROUPS:
        groups = _group_figures(judged, column, classes, threshold)
        if not isinstance(groups, str):
            by_group[column] = groups
        elif by:
            log.warning("%s on %s is not grouped by %s: %s", judged.model, judged.of, column, groups)
    result: dict[str, Any] = {
        "model": judged.model,
        "set": judged.of,
        **_part(judged, everything, classes, threshold, missed),
        "why_dropped": reasons(judged.dropped),
        "by_group": by_group,
    }
    pairs = _pairs(judged.examples)
    if pairs.any():
        masked = np.array([bool(each.masked) for each in judged.examples])
        sides = {"masked": pairs & masked, "unmasked": pairs & ~masked}
        result["pairs"] = {name: _part(judged, subset, classes, threshold) for name, subset in sides.items()}
    return result


def check_columns(by: Sequence[str], data: Sequence[Path], which: str) -> None:
    """Check before any prediction that each column to group by exists in at least one set.

    Args:
        by: The columns.
        data: The sets: output folders of `maskgen synth`, or folder trees.
        which: "masked", "unmasked" or "both": an unmasked face has no template, wear and so on.

    Raises:
        UsageError: No image of any set has one of the columns.
    """
    existing = {*OWN_COLUMNS}
    missing = set(by) - existing
    for folder in data:
        if not missing:
            return
        if is_plain_tree(folder):
            existing.add("folder")
            missing.discard("folder")
            continue
        for row in read_manifest(folder / MANIFEST):
            if row.status != "masked":
                continue
            existing.update(name for name, value in row.attributes.items() if value is not None)
            if which != "unmasked":
                existing.update(
                    name for face in row.faces[:1] for name in FACE_FIELDS if getattr(face, name) is not None
                )
            missing -= existing
            if not missing:
                return
    if missing:
        absent, present = (", ".join(sorted(names)) for names in (missing, existing))
        sets = " or ".join(map(str, data))
        raise UsageError(f"--by {absent}: no image of {sets} has it; they have {present}")


def write_evaluation(
    out: Path,
    results: Sequence[Mapping[str, Any]],
    judged: Sequence[Judged],
    classes: Sequence[Sequence[str]],
) -> None:
    """Write the results as Markdown, CSV, JSON and PNG, and all predictions as CSV.

    Args:
        out: The output folder.
        results: From `figures`.
        judged: The predictions, in the same order.
        classes: The classes of each model, in the same order.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "evaluation.json", list(results))
    rows = [row for each in results for row in _figure_rows(each)]
    head = tuple(rows[0])
    write_csv(out / "evaluation.csv", head, [tuple(row.values()) for row in rows])
    write_atomic(out / "evaluation.md", markdown(results).encode())
    overall = [row for row in rows if row["group"] == "all"]
    bars = [(f"{row['model']} on {row['set']} {row['value']}".rstrip(), row) for row in overall]
    plot_bars(out / "evaluation.png", bars)
    # A set can have any name: the folder names contain no separator and are unique.
    titles = _numbered([re.sub(r"[/\\]", "_", f"{each.model} on {each.of}") for each in judged])
    if len({tuple(own) for own in classes}) == 1:
        pairs = zip(titles, judged, strict=True)
        curves = {title: (each.labels, each.probabilities) for title, each in pairs}
        plot_roc(out / "roc.png", curves, classes[0])
    for each, own, title in zip(judged, classes, titles, strict=True):
        folder = out / title
        write_predictions(folder / "predictions.csv", each.examples, own, each.predicted, each.probabilities)
        write_dropped(folder / "dropped.csv", each.dropped)


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as Markdown tables."""
    head = ("model", "set", "images", "n", "dropped", "accuracy", "interval", "of all", "ROC-AUC", "F1")
    rows = [_cells(row) for each in results for row in _figure_rows(each) if row["group"] == "all"]
    parts = ["# Evaluation", markdown_table(head, rows, left=3)]
    parts.append(
        "Intervals are Wilson's, 95 %. 'of all' counts dropped images as wrong. F1 is the classes' mean."
    )
    for each in results:
        parts.append(f"## {each['model']} on {each['set']}")
        if each["why_dropped"]:
            listing = ", ".join(f"{count:,} {reason}" for reason, count in each["why_dropped"].items())
            parts.append(f"Dropped: {listing}.")
        parts.append(class_table(each["classes"]))
        for column, groups in each["by_group"].items():
            table = markdown_table(
                (column, "n", "accuracy", "interval"),
                [
                    (value, f"{own['n']:,}", _percent(own["accuracy"]), _interval(*own["interval"]))
                    for value, own in groups["groups"].items()
                ],
            )
            parts.append(f"{table}\n\nDifference of best and worst: {groups['difference']:.2%}.")
    return "\n\n".join(parts) + "\n"


def _numbered(names: Sequence[str]) -> list[str]:
    """The names, with a number after each repeated one."""
    counts: Counter[str] = Counter()
    numbered = []
    for name in names:
        counts[name.casefold()] += 1
        count = counts[name.casefold()]
        numbered.append(name if count == 1 else f"{name} ({count})")
    return numbered


def _part(
    judged: Judged,
    subset: NDArray[np.bool_],
    classes: Sequence[str],
    threshold: float | None,
    dropped: int = 0,
) -> dict[str, Any]:
    return scores(judged.labels[subset], judged.probabilities[subset], classes, threshold, dropped)


def _group_figures(
    judged: Judged, column: str, classes: Sequence[str], threshold: float | None
) -> dict[str, Any] | str:
    """The figures of each group, or the reason why there are no groups."""
    values = [_value(each, column) for each in judged.examples]
    if len({*values} - {None}) > MOST_GROUPS:
        # Ages in years are grouped by tens; other texts are unchanged.
        values = [value if value is None else _tens(value) for value in values]
    distinct = sorted({value for value in values if value is not None}, key=_sort_key)
    if len(distinct) < 2:
        return f"all images that have it have {distinct[0]}" if distinct else "no image has it"
    if len(distinct) > MOST_GROUPS:
        return f"it has {len(distinct):,} different values; the maximum is {MOST_GROUPS}"
    own = np.array(values, dtype=object)
    groups = {value: _part(judged, own == value, classes, threshold) for value in distinct}
    accuracies = [group["accuracy"] for group in groups.values()]
    return {"groups": groups, "difference": max(accuracies) - min(accuracies)}


def _tens(value: str) -> str:
    """The decade of a number: "20-29" for "23" or "23.5"."""
    if not re.fullmatch(r"\d{1,15}(\.\d+)?", value):
        return value
    first = int(float(value)) // 10 * 10
    return f"{first}-{first + 9}"


def _sort_key(value: str) -> tuple[float, str]:
    """Sort "3-9" and "(4, 6)" before "10-19", and "more than 70" after all numbers."""
    number = re.match(r"\d+", value.lstrip("("))
    return float(number[0]) if number else math.inf, value


def _value(example: Example, column: str) -> str | None:
    value = getattr(example, column) if column in OWN_COLUMNS else example.attributes.get(column)
    return None if value is None else str(value)


def _pairs(examples: Sequence[Example]) -> NDArray[np.bool_]:
    """(n,) whether the source of each example occurs both masked and unmasked."""
    sides: dict[str, set[bool]] = {}
    for example in examples:
        if example.masked is not None:
            sides.setdefault(example.source, set()).add(example.masked)
    return np.array([len(sides.get(example.source, ())) == 2 for example in examples], bool)


def _figure_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for the whole set, for each side of its pairs, and for each group."""
    rows = [_row(result, "all", "", result)]
    rows += [_row(result, "all", f"pairs, {side}", own) for side, own in result.get("pairs", {}).items()]
    for column, groups in result["by_group"].items():
        rows += [_row(result, column, value, own) for value, own in groups["groups"].items()]
    return rows


def _row(result: Mapping[str, Any], group: str, value: str, own: Mapping[str, Any]) -> dict[str, Any]:
    low, high = own["interval"]
    row = {"model": result["model"], "set": result["set"], "group": group, "value": value}
    row |= {name: own[name] for name in ("n", "dropped", "accuracy")} | {"low": low, "high": high}
    row |= {name: own[name] for name in ("accuracy_of_all", "balanced_accuracy", "roc_auc", "f1")}
    return row


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    area = "-" if row["roc_auc"] is None else f"{row['roc_auc']:.4f}"
    counts = (f"{row['n']:,}", f"{row['dropped']:,}")
    interval = _interval(row["low"], row["high"])
    shares = (_percent(row["accuracy"]), interval, _percent(row["accuracy_of_all"]))
    return (row["model"], row["set"], row["value"] or "all", *counts, *shares, area, f"{row['f1']:.4f}")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _interval(low: float, high: float) -> str:
    return f"{low:.2%} to {high:.2%}"
