"""Several models on several sets: overall, by group, masked beside unmasked; as tables and plots."""

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
from maskgen.train.data.examples import Example, reasons
from maskgen.train.data.from_manifest import FACE_FIELDS, MANIFEST
from maskgen.train.data.gather import is_plain_tree
from maskgen.train.judge import Judged
from maskgen.train.metrics import scores
from maskgen.train.plots import plot_bars, plot_roc
from maskgen.train.run_folder import write_csv, write_dropped, write_json, write_predictions

# Columns that are grouped by where the data have them, unless others are asked for.
GROUPS = ("template", "kind", "wear", "blend", "split", "race", "age", "gender")
# A column with more values than this is no grouping but a measurement, and none with one tells anything.
MOST_GROUPS = 40
# Columns that are no attributes.
OWN_COLUMNS = ("split", "masked", "data", "identity")

log = logging.getLogger("maskgen")


def figures(
    judged: Judged, classes: Sequence[str], threshold: float | None, by: Sequence[str]
) -> dict[str, Any]:
    """All figures of one model on one set, as JSON values.

    Args:
        judged: What the model said.
        classes: Its classes.
        threshold: Its own.
        by: Columns to group by; none for all of `GROUPS` that the examples have. Whole numbers of many
            values are grouped by tens.

    Returns:
        `maskgen.train.metrics.scores` of all, and ``by_group`` (column -> value -> figures, and the
        difference between its best and worst accuracy), ``pairs`` (masked beside unmasked, the same sources)
        where there are any, and ``why_dropped``.
    """
    missed = sum(each.is_missed for each in judged.dropped)
    everyone = np.ones(len(judged.examples), bool)
    grouped = {}
    for column in by or GROUPS:
        groups = _by(judged, column, classes, threshold)
        if not isinstance(groups, str):
            grouped[column] = groups
        elif by:
            log.warning("%s on %s is not grouped by %s: %s", judged.model, judged.of, column, groups)
    found: dict[str, Any] = {
        "model": judged.model,
        "set": judged.of,
        **_part(judged, everyone, classes, threshold, missed),
        "why_dropped": reasons(judged.dropped),
        "by_group": grouped,
    }
    pairs = _pairs(judged.examples)
    if pairs.any():
        masked = np.array([bool(each.masked) for each in judged.examples])
        sides = {"masked": pairs & masked, "unmasked": pairs & ~masked}
        found["pairs"] = {name: _part(judged, chosen, classes, threshold) for name, chosen in sides.items()}
    return found


def check_columns(by: Sequence[str], data: Sequence[Path], which: str) -> None:
    """See to it, before anything is judged, that each column to group by is in one of the sets at least.

    Args:
        by: The columns.
        data: The sets: folders that `maskgen synth` wrote, or plain trees.
        which: "masked", "unmasked" or "both": an unmasked face has no template, wear and so on.

    Raises:
        UsageError: No image of any set has one of the columns.
    """
    known = {*OWN_COLUMNS}
    missing = set(by) - known
    for folder in data:
        if not missing:
            return
        if is_plain_tree(folder):
            known.add("folder")
            missing.discard("folder")
            continue
        for row in read_manifest(folder / MANIFEST):
            if row.status != "masked":
                continue
            known.update(name for name, value in row.attributes.items() if value is not None)
            if which != "unmasked":
                known.update(
                    name for face in row.faces[:1] for name in FACE_FIELDS if getattr(face, name) is not None
                )
            missing -= known
            if not missing:
                return
    if missing:
        asked, there = (", ".join(sorted(names)) for names in (missing, known))
        raise UsageError(f"--by {asked}: no image of {' or '.join(map(str, data))} has it; they have {there}")


def write_evaluation(
    out: Path, found: Sequence[Mapping[str, Any]], judged: Sequence[Judged], classes: Sequence[Sequence[str]]
) -> None:
    """Write the tables as Markdown, CSV, JSON and PNG, and every prediction.

    Args:
        out: The folder.
        found: From `figures`.
        judged: What they are of, in the same order.
        classes: Each one's, likewise.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "evaluation.json", list(found))
    rows = [row for each in found for row in _rows(each)]
    head = tuple(rows[0])
    write_csv(out / "evaluation.csv", head, [tuple(row.values()) for row in rows])
    write_atomic(out / "evaluation.md", markdown(found).encode())
    whole = [row for row in rows if row["group"] == "all"]
    plot_bars(
        out / "evaluation.png",
        [
            (f"{row['model']} on {row['set']}{' ' + row['value'] if row['value'] else ''}", row)
            for row in whole
        ],
    )
    # A set may be called anything: no name leads out of the folder, and none takes another's place.
    titles = _numbered([re.sub(r"[/\\]", "_", f"{each.model} on {each.of}") for each in judged])
    if len({tuple(own) for own in classes}) == 1:
        told = zip(titles, judged, strict=True)
        curves = {title: (each.labels, each.probabilities) for title, each in told}
        plot_roc(out / "roc.png", curves, classes[0])
    for each, own, title in zip(judged, classes, titles, strict=True):
        folder = out / title
        write_predictions(folder / "predictions.csv", each.examples, own, each.predicted, each.probabilities)
        write_dropped(folder / "dropped.csv", each.dropped)


def markdown(found: Sequence[Mapping[str, Any]]) -> str:
    """The tables for people."""
    head = ("model", "set", "pictures", "n", "dropped", "accuracy", "interval", "of all", "ROC-AUC", "F1")
    lines = [_line(head), _line(["---"] * 3 + ["--:"] * (len(head) - 3))]
    for each in found:
        lines += [_line(_cells(row)) for row in _rows(each) if row["group"] == "all"]
    parts = ["# Evaluation", "\n".join(lines)]
    parts.append(
        "Intervals are Wilson's, 95 %. 'of all' counts dropped images as wrong. F1 is the classes' mean."
    )
    for each in found:
        parts.append(f"## {each['model']} on {each['set']}")
        if each["why_dropped"]:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in each["why_dropped"].items())
            parts.append(f"Took no part: {listed}.")
        classes = [_line(("class", "n", "precision", "recall", "F1")), _line(("---", *["--:"] * 4))]
        for name, own in each["classes"].items():
            rates = (f"{own[rate]:.4f}" for rate in ("precision", "recall", "f1"))
            classes.append(_line((name, f"{own['n']:,}", *rates)))
        parts.append("\n".join(classes))
        for column, groups in each["by_group"].items():
            table = [_line((column, "n", "accuracy", "interval")), _line(("---", "--:", "--:", "--:"))]
            for value, own in groups["groups"].items():
                table.append(_line((value, f"{own['n']:,}", _percent(own["accuracy"]), _interval(own))))
            parts.append("\n".join(table) + f"\n\nDifference of best and worst: {groups['difference']:.2%}.")
    return "\n\n".join(parts) + "\n"


def _numbered(names: Sequence[str]) -> list[str]:
    """The names, with a number after each that came before."""
    counts: Counter[str] = Counter()
    found = []
    for name in names:
        counts[name.casefold()] += 1
        count = counts[name.casefold()]
        found.append(name if count == 1 else f"{name} ({count})")
    return found


def _part(
    judged: Judged,
    chosen: NDArray[np.bool_],
    classes: Sequence[str],
    threshold: float | None,
    dropped: int = 0,
) -> dict[str, Any]:
    return scores(judged.labels[chosen], judged.probabilities[chosen], classes, threshold, dropped)


def _by(judged: Judged, column: str, classes: Sequence[str], threshold: float | None) -> dict[str, Any] | str:
    """The figures of each group, or why there are no groups."""
    values = [_value(each, column) for each in judged.examples]
    if len({*values} - {None}) > MOST_GROUPS:
        # Ages in years: by tens. What is no number stays as it is.
        values = [value if value is None else _tens(value) for value in values]
    known = sorted({value for value in values if value is not None}, key=_as_read)
    if len(known) < 2:
        return f"all images that have it have {known[0]}" if known else "no image has it"
    if len(known) > MOST_GROUPS:
        return f"it has {len(known):,} different values, and {MOST_GROUPS} are the most"
    own = np.array(values, dtype=object)
    groups = {value: _part(judged, own == value, classes, threshold) for value in known}
    accuracies = [group["accuracy"] for group in groups.values()]
    return {"groups": groups, "difference": max(accuracies) - min(accuracies)}


def _tens(value: str) -> str:
    """The ten years a number is in: "20-29" for "23" or "23.5"."""
    if not re.fullmatch(r"\d{1,15}(\.\d+)?", value):
        return value
    first = int(float(value)) // 10 * 10
    return f"{first}-{first + 9}"


def _as_read(value: str) -> tuple[float, str]:
    """Sorts "3-9" and "(4, 6)" before "10-19", and "more than 70" behind all numbers."""
    number = re.match(r"\d+", value.lstrip("("))
    return float(number[0]) if number else math.inf, value


def _value(example: Example, column: str) -> str | None:
    value = getattr(example, column) if column in OWN_COLUMNS else example.attributes.get(column)
    return None if value is None else str(value)


def _pairs(examples: Sequence[Example]) -> NDArray[np.bool_]:
    """Which examples have their source there masked and unmasked."""
    sides: dict[str, set[bool]] = {}
    for example in examples:
        if example.masked is not None:
            sides.setdefault(example.source, set()).add(example.masked)
    return np.array([len(sides.get(example.source, ())) == 2 for example in examples], bool)


def _rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for the whole set, one for each side of its pairs, and one for each group."""
    rows = [_row(found, "all", "", found)]
    rows += [_row(found, "all", f"pairs, {side}", own) for side, own in found.get("pairs", {}).items()]
    for column, groups in found["by_group"].items():
        rows += [_row(found, column, value, own) for value, own in groups["groups"].items()]
    return rows


def _row(found: Mapping[str, Any], group: str, value: str, own: Mapping[str, Any]) -> dict[str, Any]:
    low, high = own["interval"]
    row = {"model": found["model"], "set": found["set"], "group": group, "value": value}
    row |= {name: own[name] for name in ("n", "dropped", "accuracy")} | {"low": low, "high": high}
    row |= {name: own[name] for name in ("accuracy_of_all", "balanced_accuracy", "roc_auc", "f1")}
    return row


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    area = "-" if row["roc_auc"] is None else f"{row['roc_auc']:.4f}"
    return (
        *(row["model"], row["set"], row["value"] or "all", f"{row['n']:,}", f"{row['dropped']:,}"),
        *(
            _percent(row["accuracy"]),
            f"{row['low']:.2%} to {row['high']:.2%}",
            _percent(row["accuracy_of_all"]),
        ),
        *(area, f"{row['f1']:.4f}"),
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _interval(own: Mapping[str, Any]) -> str:
    low, high = own["interval"]
    return f"{low:.2%} to {high:.2%}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
