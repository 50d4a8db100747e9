"""The model card: training data, results and limits of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskgen.train.options import TrainOptions
from maskgen.train.spec import ModelSpec

_HEADER = """\
---
library_name: keras
pipeline_tag: image-classification
license: other
license_name: "terms of the training data"
tags:
- face-mask
- maskgen
---"""

_LIMITS = """\
The labels come from annotators or web pages, use the classes of the dataset, and are wrong for some people.
The figures hold for images like those of the test. They may be worse on other images, on real masks and on
groups of people that are rare in the data: `maskgen evaluate` reports figures by group. This model must not
be used to decide anything about a person."""


def model_card(options: TrainOptions, spec: ModelSpec, metrics: Mapping[str, Any], command: str) -> str:
    """The model card: Markdown with a YAML header."""
    data = ", ".join(f"`{Path(folder).resolve().name}`" for folder in options.data)
    crop = {
        "full": "the whole image",
        "face": f"the face with a margin of {spec.margin:g}",
        "upper-face": f"the face above the bridge of the nose, with a margin of {spec.margin:g}",
    }[spec.crop]
    weights = {"none": "from scratch", "imagenet": "from ImageNet weights"}.get(
        options.weights, f"from `{'/'.join(Path(options.weights).parts[-2:])}`"
    )
    threshold = (
        f"\nIt predicts {spec.classes[1]} from a probability of {spec.threshold:.4f}, chosen on validation."
        if spec.threshold is not None
        else ""
    )
    reported = "test" if "test" in metrics else "validation"
    splits = [(name, metrics[name]) for name in ("validation", "test") if name in metrics]
    results = markdown_table(
        ("set", "n", "accuracy", "interval", "ROC-AUC", "F1", "dropped"),
        [
            (
                *(name, f"{own['n']:,}", f"{own['accuracy']:.2%}", interval(*own["interval"])),
                *(decimals(own["roc_auc"]), decimals(own["f1"]), f"{own['dropped']:,}"),
            )
            for name, own in splits
        ],
    )
    note = (
        "The test split was used once, after training; validation chose the epoch and the threshold."
        if reported == "test"
        else "There was no test split: validation also chose the epoch and the threshold, so these figures "
        "are optimistic."
    )
    dropped = ", ".join(f"{reason}: {count:,}" for reason, count in metrics["dropped"].items())
    parts = (
        _HEADER,
        f"# {spec.backbone}: {' / '.join(spec.classes[:6])}{' / ...' if len(spec.classes) > 6 else ''}",
        f"A classifier of {options.wanted.which} faces, {spec.backbone} trained {weights} by `maskgen "
        f"train` on {data}. Its input is {crop}, as RGB from 0 to 255 and {spec.size} x {spec.size} pixels; "
        f"preprocessing is inside the model.{threshold}",
        f"## Results\n\n{results}\n\nIntervals are Wilson's, 95 %. {note}",
        f"By class, on {reported}:\n\n{class_table(dict(list(metrics[reported]['classes'].items())[:50]))}",
        f"Dropped images of the data: {dropped}. `dropped.csv` lists each." if dropped else "",
        f"## Command\n\n```\n{command}\n```\n\nAll options, versions and counts are in `run.json`, "
        "the examples in `examples.jsonl`, the epochs in `history.csv`.\n\n![curves](curves.png)\n\n"
        "![confusion](confusion.png) ![ROC](roc.png)",
        f"## Limits\n\n{_LIMITS}",
    )
    return "\n\n".join(filter(None, parts)) + "\n"


def class_table(classes: Mapping[str, Mapping[str, Any]]) -> str:
    """Precision, recall and F1 of each class as a Markdown table."""
    rows = [
        (name, f"{own['n']:,}", *(decimals(own[rate]) for rate in ("precision", "recall", "f1")))
        for name, own in classes.items()
    ]
    return markdown_table(("class", "n", "precision", "recall", "F1"), rows)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table; the first `left` columns are aligned left, the others right."""
    lines = [head, ["---"] * left + ["--:"] * (len(head) - left), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def decimals(value: float | None) -> str:
    """A rate with four decimals."""
    return "-" if value is None else f"{value:.4f}"


def interval(low: float, high: float) -> str:
    """An interval of shares in percent."""
    return f"{low:.2%} to {high:.2%}"
