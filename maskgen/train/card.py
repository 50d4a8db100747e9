"""The model card: what a model was trained on, how well it does and on what, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskgen.train.options import TrainOptions
from maskgen.train.spec import ModelSpec

_LIMITS = """\
The labels are what annotators saw or a web page said, in the classes the dataset knows, and are wrong for
some people. The figures hold for images like those of the test; on others, on really worn masks and on
groups of people that are rare in the data they may be worse: `maskgen evaluate` tells by group. It must not
be used to decide anything about a person."""


def model_card(options: TrainOptions, spec: ModelSpec, metrics: Mapping[str, Any], command: str) -> str:
    """The card as Markdown with a YAML header."""
    data = ", ".join(f"`{Path(folder).resolve().name}`" for folder in options.data)
    shown = {
        "full": "the whole image",
        "face": f"the face with a margin of {spec.margin:g}",
        "upper-face": f"the face above the bridge of the nose, with a margin of {spec.margin:g}",
    }[spec.crop]
    weights = {"none": "from scratch", "imagenet": "from ImageNet's weights"}.get(
        options.weights, f"from `{'/'.join(Path(options.weights).parts[-2:])}`"
    )
    threshold = (
        f"\nIt says {spec.classes[1]} from a probability of {spec.threshold:.4f} on, chosen on validation."
        if spec.threshold is not None
        else ""
    )
    judged = "test" if "test" in metrics else "validation"
    parts = [
        _header(spec),
        f"# {spec.backbone}: {' / '.join(spec.classes[:6])}{' / ...' if len(spec.classes) > 6 else ''}",
        f"A classifier of {options.wanted.which} faces, {spec.backbone} trained {weights} by `maskgen "
        f"train` on {data}. It is shown {shown}, as RGB from 0 to 255 and {spec.size} x {spec.size} pixels; "
        f"preprocessing is inside the model.{threshold}",
        f"## How well it does\n\n{_table(metrics)}\n\nIntervals are Wilson's, 95 %. "
        + (
            "The test was looked at once, after training; validation chose the epoch and the threshold."
            if judged == "test"
            else "There was no test split: validation also chose the epoch and the threshold, so these "
            "figures flatter the model."
        ),
        _classes(metrics[judged], judged),
        _dropped(metrics),
        f"## How it was made\n\n```\n{command}\n```\n\nAll options, versions and counts are in `run.json`, "
        "the examples in `examples.jsonl`, the epochs in `history.csv`.\n\n![curves](curves.png)\n\n"
        "![confusion](confusion.png) ![ROC](roc.png)",
        f"## Limits\n\n{_LIMITS}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(spec: ModelSpec) -> str:
    lines = ["library_name: keras", "pipeline_tag: image-classification", "license: other"]
    lines += [
        'license_name: "terms of the training data"',
        "tags:",
        "- face-mask",
        "- maskgen",
    ]
    return "---\n" + "\n".join(lines) + "\n---"


def _table(metrics: Mapping[str, Any]) -> str:
    lines = ["| set | n | accuracy | interval | ROC-AUC | F1 | not judged |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name in ("validation", "test"):
        if name in metrics and metrics[name]["n"]:
            own = metrics[name]
            low, high = own["interval"]
            area = f"{own['roc_auc']:.4f}" if own["roc_auc"] is not None else "-"
            lines.append(
                f"| {name} | {own['n']:,} | {own['accuracy']:.2%} | {low:.2%} to {high:.2%} | {area} | "
                f"{own['f1']:.4f} | {own['dropped']:,} |"
            )
    return "\n".join(lines)


def _classes(figures: Mapping[str, Any], judged: str) -> str:
    lines = [f"On {judged}, by class:\n", "| class | n | precision | recall | F1 |", "|---|--:|--:|--:|--:|"]
    for name, own in list(figures["classes"].items())[:50]:
        lines.append(
            f"| {name} | {own['n']:,} | {own['precision']:.4f} | {own['recall']:.4f} | {own['f1']:.4f} |"
        )
    return "\n".join(lines)


def _dropped(metrics: Mapping[str, Any]) -> str:
    if not metrics["dropped"]:
        return ""
    listed = ", ".join(f"{reason}: {count:,}" for reason, count in metrics["dropped"].items())
    return f"Images of the data that took no part: {listed}. `dropped.csv` names each."
