"""The model card: training data, results and limits of a model."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from maskgen.train.options import TrainOptions
from maskgen.train.spec import ModelSpec

_TEMPLATE = Template(Path(__file__).with_suffix(".md").read_text(encoding="utf-8"))


def model_card(options: TrainOptions, spec: ModelSpec, metrics: Mapping[str, Any], command: str) -> str:
    """The model card: Markdown with a YAML header."""
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
    rows = [
        (
            *(name, f"{own['n']:,}", f"{own['accuracy']:.2%}", interval(*own["interval"])),
            *(decimals(own["roc_auc"]), decimals(own["f1"]), f"{own['dropped']:,}"),
        )
        for name, own in metrics.items()
        if name in ("validation", "test")
    ]
    note = (
        "The test split was used once, after training; validation chose the epoch and the threshold."
        if reported == "test"
        else "There was no test split: validation also chose the epoch and the threshold, so these figures "
        "are optimistic."
    )
    dropped = ", ".join(f"{reason}: {count:,}" for reason, count in metrics["dropped"].items())
    return _TEMPLATE.substitute(
        **{"backbone": spec.backbone, "size": spec.size, "which": options.wanted.which, "crop": crop},
        classes=" / ".join(spec.classes[:6]) + (" / ..." if len(spec.classes) > 6 else ""),
        data=", ".join(f"`{Path(folder).resolve().name}`" for folder in options.data),
        results=markdown_table(("set", "n", "accuracy", "interval", "ROC-AUC", "F1", "dropped"), rows),
        by_class=class_table(dict(list(metrics[reported]["classes"].items())[:50])),
        dropped=f"Dropped images of the data: {dropped}. `dropped.csv` lists each.\n\n" if dropped else "",
        **{
            "weights": weights,
            "threshold": threshold,
            "note": note,
            "reported": reported,
            "command": command,
        },
    )


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
