"""Evaluate models on data sets: overall, by group and for masked/unmasked pairs; tables and plots."""

import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import UsageError
from maskgen.files.atomic import write_atomic
from maskgen.results.manifest import read_manifest
from maskgen.train.card import class_table, decimals, interval, markdown_table
from maskgen.train.data.examples import Example, listed, reasons
from maskgen.train.data.listing import FACE_FIELDS, MANIFEST, is_plain_tree
from maskgen.train.judge import Judged
from maskgen.train.metrics import scores
from maskgen.train.plots import plot_bars, plot_roc
from maskgen.train.run_folder import write_csv, write_dropped, write_json, write_predictions

# Default columns to group by, if the data have them.
GROUPS = ("template", "kind", "wear", "blend", "split", "race", "age", "gender")
# Maximum number of groups in a column.
MOST_GROUPS = 40
# Columns that are fields of `Example` and not attributes.
OWN_COLUMNS = ("split", "masked", "data", "identity")

log = logging.getLogger("maskgen")


def figures(judged: Judged, by: Sequence[str]) -> dict[str, Any]:
    """All figures of one model on one set, grouped by columns or by all existing `GROUPS`, as JSON values.

    Returns:
        `maskgen.train.metrics.scores` of all examples; ``by_group``: column -> value -> figures, with the
        difference of best and worst accuracy; ``pairs``, if there are any: the same sources masked and
        unmasked; and ``why_dropped``.
    """

    def figures_of(subset: slice | NDArray[np.bool_], dropped: int = 0) -> dict[str, Any]:
        labels, probabilities = judged.labels[subset], judged.probabilities[subset]
        return scores(labels, probabilities, judged.spec.classes, judged.spec.threshold, dropped)

    by_group = {}
    for column in by or GROUPS:
        values = _group_values(judged.examples, column)
        distinct = sorted({value for value in values if value is not None}, key=_sort_key)
        if 2 <= len(distinct) <= MOST_GROUPS:
            groups = {value: figures_of(np.array([own == value for own in values])) for value in distinct}
            accuracies = [group["accuracy"] for group in groups.values()]
            by_group[column] = {"groups": groups, "difference": max(accuracies) - min(accuracies)}
        elif by:
            reason = f"it has {len(distinct):,} different values; the maximum is {MOST_GROUPS}"
            if len(distinct) < 2:
                reason = f"all images that have it have {distinct[0]}" if distinct else "no image has it"
            log.warning("%s on %s is not grouped by %s: %s", judged.model, judged.of, column, reason)
    result: dict[str, Any] = {
        "model": judged.model,
        "set": judged.of,
        **figures_of(slice(None), sum(each.is_missed for each in judged.dropped)),
        "why_dropped": reasons(judged.dropped),
        "by_group": by_group,
    }
    pairs = _in_pairs(judged.examples)
    if pairs.any():
        masked = np.array([bool(each.masked) for each in judged.examples])
        result["pairs"] = {"masked": figures_of(pairs & masked), "unmasked": figures_of(pairs & ~masked)}
    return result


def _in_pairs(examples: Sequence[Example]) -> NDArray[np.bool_]:
    """(n,) whether the source of each example occurs both masked and unmasked."""
    sides: dict[str, set[bool | None]] = {}
    for example in examples:
        sides.setdefault(example.source, set()).add(example.masked)
    return np.array([{True, False} <= sides[example.source] for example in examples])


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


def check_columns(by: Sequence[str], data: Sequence[Path], which: str) -> None:
    """Check before any prediction that each column to group by exists in at least one set.

    `which` is "masked", "unmasked" or "both": an unmasked face has no template, wear and so on.
    """
    existing = {*OWN_COLUMNS}
    unread = (folder for folder in data if not existing.issuperset(by))
    for columns in chain.from_iterable(_columns(folder, which) for folder in unread):
        existing |= columns
        if existing.issuperset(by):
            return
    if missing := {*by} - existing:
        absent, present = (", ".join(sorted(names)) for names in (missing, existing))
        sets = " or ".join(map(str, data))
        raise UsageError(f"--by {absent}: no image of {sets} has it; they have {present}")


def _columns(folder: Path, which: str) -> Iterator[set[str]]:
    """The columns of one image after the other."""
    if is_plain_tree(folder):
        yield {"folder"}
        return
    for row in read_manifest(folder / MANIFEST):
        if row.status == "masked":
            faces = row.faces[:1] if which != "unmasked" else ()
            values = [(name, getattr(face, name)) for face in faces for name in FACE_FIELDS]
            yield {name for name, value in (*row.attributes.items(), *values) if value is not None}


def write_evaluation(out: Path, results: Sequence[Mapping[str, Any]], judged: Sequence[Judged]) -> None:
    """Write the results of `figures` as Markdown, CSV, JSON and PNG, and all predictions as CSV."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "evaluation.json", list(results))
    rows = [row for each in results for row in _figure_rows(each)]
    write_csv(out / "evaluation.csv", tuple(rows[0]), [tuple(row.values()) for row in rows])
    write_atomic(out / "evaluation.md", markdown(results).encode())
    overall = [row for row in rows if row["group"] == "all"]
    bars = [(f"{row['model']} on {row['set']} {row['value']}".rstrip(), row) for row in overall]
    plot_bars(out / "evaluation.png", bars)
    # A set can have any name: the folder names contain no separator and are unique.
    titles, counts = [], Counter[str]()
    for each in judged:
        title = re.sub(r"[/\\]", "_", f"{each.model} on {each.of}")
        counts[title.casefold()] += 1
        count = counts[title.casefold()]
        titles.append(title if count == 1 else f"{title} ({count})")
    if len({each.spec.classes for each in judged}) == 1:
        pairs = zip(titles, judged, strict=True)
        curves = {title: (each.labels, each.probabilities) for title, each in pairs}
        plot_roc(out / "roc.png", curves, judged[0].spec.classes)
    for each, title in zip(judged, titles, strict=True):
        write_predictions(out / title / "predictions.csv", each.examples, each.spec, each.probabilities)
        write_dropped(out / title / "dropped.csv", each.dropped)


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as Markdown tables."""
    head = ("model", "set", "images", "n", "dropped", "accuracy", "interval", "of all", "ROC-AUC", "F1")
    rows = [
        (
            *(row["model"], row["set"], row["value"] or "all", f"{row['n']:,}", f"{row['dropped']:,}"),
            *(f"{row['accuracy']:.2%}", interval(row["low"], row["high"]), f"{row['accuracy_of_all']:.2%}"),
            *(decimals(row["roc_auc"]), decimals(row["f1"])),
        )
        for each in results
        for row in _figure_rows(each)
        if row["group"] == "all"
    ]
    parts = ["# Evaluation", markdown_table(head, rows, left=3)]
    parts.append(
        "Intervals are Wilson's, 95 %. 'of all' counts dropped images as wrong. F1 is the classes' mean."
    )
    for each in results:
        parts.append(f"## {each['model']} on {each['set']}")
        if each["why_dropped"]:
            parts.append(f"Dropped: {listed(each['why_dropped'])}.")
        parts.append(class_table(each["classes"]))
        for column, groups in each["by_group"].items():
            lines = [
                (value, f"{own['n']:,}", f"{own['accuracy']:.2%}", interval(*own["interval"]))
                for value, own in groups["groups"].items()
            ]
            table = markdown_table((column, "n", "accuracy", "interval"), lines)
            parts.append(f"{table}\n\nDifference of best and worst: {groups['difference']:.2%}.")
    return "\n\n".join(parts) + "\n"


def _figure_rows(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for the whole set, for each side of its pairs, and for each group."""
    parts = [("all", "", result)]
    parts += [("all", f"pairs, {side}", own) for side, own in result.get("pairs", {}).items()]
    for column, groups in result["by_group"].items():
        parts += [(column, value, own) for value, own in groups["groups"].items()]
    for group, value, own in parts:
        low, high = own["interval"]
        yield {
            **{"model": result["model"], "set": result["set"], "group": group, "value": value},
            **{name: own[name] for name in ("n", "dropped", "accuracy")},
            **{"low": low, "high": high},
            **{name: own[name] for name in ("accuracy_of_all", "balanced_accuracy", "roc_auc", "f1")},
        }
