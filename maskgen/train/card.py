"""The model card: training data, results and limits of a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskgen.train.options import TrainOptions
from maskgen.train.run_folder import markdown_table
from maskgen.train.spec import ModelSpec

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
    parts = [
        _header(spec),
        f"# {spec.backbone}: {' / '.join(spec.classes[:6])}{' / ...' if len(spec.classes) > 6 else ''}",
        f"A classifier of {options.wanted.which} faces, {spec.backbone} trained {weights} by `maskgen "
        f"train` on {data}. Its input is {crop}, as RGB from 0 to 255 and {spec.size} x {spec.size} pixels; "
        f"preprocessing is inside the model.{threshold}",
        f"## Results\n\n{_result_table(metrics)}\n\nIntervals are Wilson's, 95 %. "
        + (
            "The test split was used once, after training; validation chose the epoch and the threshold."
            if reported == "test"
            else "There was no test split: validation also chose the epoch and the threshold, so these "
            "figures are optimistic."
        ),
        f"By class, on {reported}:\n\n{class_table(dict(list(metrics[reported]['classes'].items())[:50]))}",
        _dropped(metrics),
        f"## Command\n\n```\n{command}\n```\n\nAll options, versions and counts are in `run.json`, "
        "the examples in `examples.jsonl`, the epochs in `history.csv`.\n\n![curves](curves.png)\n\n"
        "![confusion](confusion.png) ![ROC](roc.png)",
        f"## Limits\n\n{_LIMITS}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(spec: ModelSpec) -> str:
    lines = [
        "library_name: keras",
        "pipeline_tag: image-classification",
        "license: other",
        'license_name: "terms of the training data"',
        "tags:",
        "- face-mask",
        "- maskgen",
    ]
    return "---\n" + "\n".join(lines) + "\n---"


def class_table(classes: Mapping[str, Mapping[str, Any]]) -> str:
    """Precision, recall and F1 of each class as a Markdown table."""
    rows = [
        (name, f"{own['n']:,}", *(f"{own[rate]:.4f}" for rate in ("precision", "recall", "f1")))
        for name, own in classes.items()
    ]
    return markdown_table(("class", "n", "precision", "recall", "F1"), rows)


def _result_table(metrics: Mapping[str, Any]) -> str:
    rows = []
    for name in ("validation", "test"):
        if name in metrics and metrics[name]["n"]:
            own = metrics[name]
            low, high = own["interval"]
            area = f"{own['roc_auc']:.4f}" if own["roc_auc"] is not None else "-"
            shares = (f"{own['accuracy']:.2%}", f"{low:.2%} to {high:.2%}", area, f"{own['f1']:.4f}")
            rows.append((name, f"{own['n']:,}", *shares, f"{own['dropped']:,}"))
    return markdown_table(("set", "n", "accuracy", "interval", "ROC-AUC", "F1", "dropped"), rows)


def _dropped(metrics: Mapping[str, Any]) -> str:
    if not metrics["dropped"]:
        return ""
    listing = ", ".join(f"{reason}: {count:,}" for reason, count in metrics["dropped"].items())
    return f"Dropped images of the data: {listing}. `dropped.csv` lists each."
