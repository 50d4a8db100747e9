"""The model card: training data, results and limits of a model."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from maskgen.train.options import TrainOptions
from maskgen.train.report.tables import (
    Table,
    class_table,
    decimals,
    in_markdown,
    interval,
    numbers,
    percent,
    what_intervals_are,
)
from maskgen.train.spec import ModelSpec

_TEMPLATE = Template(Path(__file__).with_suffix(".md").read_text(encoding="utf-8"))


def model_card(options: TrainOptions, spec: ModelSpec, metrics: Mapping[str, Any], command: str) -> str:
    """The model card: Markdown with a YAML header."""
    reported = "test" if "test" in metrics else "validation"
    note = (
        "The test split was used once, after training; validation chose the epoch and the calibration."
        if reported == "test"
        else "There was no test split: validation also chose the epoch and the calibration, so these figures "
        "are optimistic."
    )
    dropped = ", ".join(f"{reason}: {count:,}" for reason, count in metrics["dropped"].items())
    return _TEMPLATE.substitute(
        **{"backbone": spec.backbone, "size": spec.size, "which": options.wanted.which},
        classes=in_markdown(" / ".join(spec.classes[:6]) + (" / ..." if len(spec.classes) > 6 else "")),
        data=", ".join(f"`{Path(folder).resolve().name}`" for folder in options.data),
        results=result_table(metrics).markdown(),
        by_class=class_table(dict(list(metrics[reported]["classes"].items())[:50])).markdown(),
        dropped=f"Dropped images of the data: {dropped}. `dropped.csv` lists each.\n\n" if dropped else "",
        intervals=what_intervals_are([metrics[reported]]),
        calibration=in_markdown(" ".join(calibration_notes(spec, metrics))),
        **{"weights": weights_text(options), "crop": crop_text(spec), "note": note},
        **{"reported": reported, "command": command},
    )


def crop_text(spec: ModelSpec) -> str:
    """What a model is shown of an image."""
    return {
        "full": "the whole image",
        "face": f"the face with a margin of {spec.margin:g}",
        "upper-face": f"the face above the bridge of the nose, with a margin of {spec.margin:g}",
    }[spec.crop]


def weights_text(options: TrainOptions) -> str:
    """Where the training started."""
    return {"none": "from scratch", "imagenet": "from ImageNet weights"}.get(
        options.weights, f"from `{'/'.join(Path(options.weights).parts[-2:])}`"
    )


def result_table(metrics: Mapping[str, Any]) -> Table:
    """The results on validation and test; if there are both, also of masked and of unmasked images."""
    head = ("set", "images", "n", "accuracy", "interval", "balanced", "ROC-AUC", "F1", "ECE", "dropped")
    rows = [
        (
            *(name, images, f"{own['n']:,}", percent(own["accuracy"]), interval(own["interval"])),
            *(percent(own["balanced_accuracy"]), decimals(own["roc_auc"]), decimals(own["f1"])),
            *(decimals(own["ece"]), f"{own['dropped']:,}" if images == "all" else ""),
        )
        for name in ("validation", "test")
        if name in metrics
        for images, own in {"all": metrics[name], **metrics[name].get("by_mask", {})}.items()
    ]
    return Table(head, rows, left=2)


def calibration_notes(spec: ModelSpec, metrics: Mapping[str, Any]) -> Iterator[str]:
    """What the calibration changed, in sentences."""
    own = metrics["calibration"]["best.keras"]
    if own["threshold"] is not None:
        yield (
            f"Before calibration, the best threshold on validation for {spec.classes[1]} was "
            f"{own['threshold']:.4f} ({numbers(own['threshold_interval'])}); the weights contain it, so that "
            "the most probable class is the prediction."
        )
    before, after = (metrics["calibration"][f"ece_{when}"] for when in ("before", "after"))
    changes = ", ".join(f"{decimals(before[name])} to {decimals(after[name])} on {name}" for name in after)
    yield f"The temperature is {own['temperature']:.3f}. The calibration error went from {changes}."
