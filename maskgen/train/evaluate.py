"""Write an evaluation of models on data sets: tables, plots, predictions and a page."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.errors import UsageError
from maskgen.files.atomic import write_atomic
from maskgen.results.manifest import read_manifest
from maskgen.train.data.examples import listed
from maskgen.train.data.listing import FACE_FIELDS, MANIFEST, is_plain_tree
from maskgen.train.judge import Judged
from maskgen.train.judging.groups import OWN_COLUMNS
from maskgen.train.plots import plot_bars, plot_confusion, plot_reliability, plot_roc
from maskgen.train.report.page import Part, worst_errors, write_page
from maskgen.train.report.tables import (
    Table,
    decimals,
    in_markdown,
    interval,
    percent,
    result_sections,
    what_intervals_are,
)
from maskgen.train.run_folder import write_csv, write_dropped, write_json, write_predictions

PAGE = "evaluation.html"
# Columns of ``evaluation.csv`` after the accuracy and its interval.
_FURTHER = ("accuracy_of_all", "balanced_accuracy", "largest_class_share", "roc_auc", "f1", "ece")


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


def write_evaluation(
    out: Path, results: Sequence[Mapping[str, Any]], judged: Sequence[Judged], images: bool = True
) -> None:
    """Write the results of `figures` as Markdown, CSV, JSON, PNG and HTML, and all predictions as CSV.

    The page shows the worst errors as images, unless `images` is false.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "evaluation.json", list(results))
    rows = [row for each in results for row in _figure_rows(each)]
    write_csv(out / "evaluation.csv", tuple(rows[0]), [tuple(row.values()) for row in rows])
    write_atomic(out / "evaluation.md", markdown(results).encode())
    overall = [row for row in rows if row["group"] == "all"]
    bars = [(f"{row['model']} on {row['set']} {row['value']}".rstrip(), row) for row in overall]
    plot_bars(out / "evaluation.png", bars)
    plots = [out / "evaluation.png"]
    titles = _folder_names(judged)
    if len({each.spec.classes for each in judged}) == 1:
        pairs = zip(titles, judged, strict=True)
        curves = {title: (each.labels, each.probabilities) for title, each in pairs}
        plot_roc(out / "roc.png", curves, judged[0].spec.classes)
        plots.append(out / "roc.png")
    parts = [Part("Overview", [_overview(results)], plots, notes=_notes(results))]
    for each, title, result in zip(judged, titles, results, strict=True):
        folder = out / title
        write_predictions(folder / "predictions.csv", each.examples, each.spec, each.probabilities)
        write_dropped(folder / "dropped.csv", each.dropped)
        plot_confusion(folder / "confusion.png", np.array(result["confusion"]), each.spec.classes, each.of)
        plot_reliability(folder / "reliability.png", {each.of: result["reliability"]})
        plots = [folder / "confusion.png", folder / "reliability.png"]
        parts.append(
            Part(
                f"{each.model} on {each.of}",
                list(result_sections(result)),
                plots,
                worst_errors(each) if images else None,
                [f"Dropped: {listed(result['why_dropped'])}."] if result["why_dropped"] else [],
            )
        )
    write_page(out / PAGE, "Evaluation", parts)


def _folder_names(judged: Sequence[Judged]) -> list[str]:
    """A folder for each: a set can have any name, so they contain no separator and are made unique."""
    names, counts = [], Counter[str]()
    for each in judged:
        name = re.sub(r"[/\\]", "_", f"{each.model} on {each.of}")
        counts[name.casefold()] += 1
        count = counts[name.casefold()]
        names.append(name if count == 1 else f"{name} ({count})")
    return names


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as Markdown tables."""
    parts = ["# Evaluation", _overview(results).markdown(), *_notes(results)]
    for each in results:
        parts.append(in_markdown(f"## {each['model']} on {each['set']}"))
        if each["why_dropped"]:
            parts.append(f"Dropped: {listed(each['why_dropped'])}.")
        parts += [section.markdown() for section in result_sections(each)]
    return "\n\n".join(parts) + "\n"


def _overview(results: Sequence[Mapping[str, Any]]) -> Table:
    head = (
        *("model", "set", "images", "n", "dropped", "accuracy", "interval", "of all", "balanced"),
        *("largest class", "ROC-AUC", "F1", "ECE"),
    )
    rows = [
        (
            *(row["model"], row["set"], row["value"] or "all", f"{row['n']:,}", f"{row['dropped']:,}"),
            *(percent(row["accuracy"]), interval((row["low"], row["high"])), percent(row["accuracy_of_all"])),
            *(percent(row["balanced_accuracy"]), percent(row["largest_class_share"])),
            *(decimals(row["roc_auc"]), decimals(row["f1"]), decimals(row["ece"])),
        )
        for each in results
        for row in _figure_rows(each)
        if row["group"] == "all"
    ]
    return Table(head, rows, left=3)


def _notes(results: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        what_intervals_are(results),
        "'of all' counts dropped images as wrong. 'balanced' is the mean recall of the classes, 'largest "
        "class' the accuracy of always answering with the most common one. F1 is the classes' mean. ECE is "
        "the calibration error.",
    ]


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
            **{name: own[name] for name in _FURTHER},
        }
