"""Plots as PNG: training curves, confusion matrix, ROC and bars of accuracy (matplotlib)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.files.atomic import write_atomic
from maskgen.keras_runtime import require
from maskgen.train.checkpoint import Epoch
from maskgen.train.metrics import roc

TRAINING, VALIDATION, MARKER = "#1f6f8b", "#d1495b", "#666666"

# Maximum side of the confusion matrix; a cell with its numbers takes an inch.
MOST_INCHES = 16
# Maximum number of names on an axis; with more classes, every second, third ... is named.
MOST_NAMES = 60
# Maximum number of curves in one figure: the classes with most examples.
MOST_CURVES = 10


def plot_curves(path: Path, history: Sequence[Epoch]) -> None:
    """Plot loss and accuracy by epoch, with markers at the start of fine-tuning and the best epoch."""
    figure = _figure(9, 3.6)
    epochs = np.arange(1, len(history) + 1)
    fine_tune_start = next((place for place, row in enumerate(history) if row["phase"] == "fine-tune"), None)
    best = int(np.argmin([float(row["val_loss"]) for row in history])) + 1 if history else None
    for place, name in enumerate(("loss", "accuracy"), start=1):
        axes = figure.add_subplot(1, 2, place)
        axes.plot(epochs, [row[name] for row in history], color=TRAINING, marker=".", label="training")
        axes.plot(
            epochs, [row[f"val_{name}"] for row in history], color=VALIDATION, marker=".", label="validation"
        )
        if fine_tune_start is not None and fine_tune_start > 0:
            axes.axvline(fine_tune_start + 0.5, color=MARKER, linestyle="--", label="fine-tuning")
        if best is not None:
            axes.axvline(best, color=VALIDATION, alpha=0.3, linewidth=5, label="lowest validation loss")
        axes.set_xlabel("epoch")
        axes.locator_params(axis="x", integer=True)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    _save(figure, path)


def plot_confusion(path: Path, counts: NDArray[np.int64], classes: Sequence[str], title: str) -> None:
    """Plot a confusion matrix: counts and shares of the true class; only colours for many classes."""
    side = min(len(classes), MOST_INCHES)
    figure = _figure(2.6 + side, 2.2 + side)
    axes = figure.add_subplot(1, 1, 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    # A text takes milliseconds, and 1,000 classes would have a million texts.
    for row, column in np.ndindex(*counts.shape) if len(classes) <= MOST_INCHES else ():
        axes.text(
            column,
            row,
            f"{counts[row, column]:,}\n{shares[row, column]:.1%}",
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.55 else "black",
        )
    shown = range(0, len(classes), -(-len(classes) // MOST_NAMES))
    names = [classes[place] for place in shown]
    axes.set_xticks(shown, names, rotation=0 if len(classes) <= MOST_INCHES else 90)
    axes.set_yticks(shown, names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title)
    _save(figure, path)


def plot_roc(
    path: Path,
    curves: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    classes: Sequence[str],
    threshold: float | None = None,
) -> None:
    """Plot ROC curves of each set: one for two classes, otherwise one-against-rest for the most common.

    Args:
        path: The file to write.
        curves: Name of the set -> (labels, probabilities).
        classes: Names of the classes.
        threshold: Decision threshold marked on each curve, for two classes.
    """
    figure = _figure(4.6, 4.4)
    axes = figure.add_subplot(1, 1, 1)
    for name, (labels, probabilities) in curves.items():
        for place in (1,) if len(classes) == 2 else _most_common(labels, len(classes)):
            truth, values = labels == place, probabilities[:, place]
            if truth.all() or not truth.any():
                continue
            false, true = roc(truth, values)
            area = float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))
            (line,) = axes.plot(false, true, label=f"{name}, {classes[place]}: {area:.3f}")
            if threshold is not None and len(classes) == 2:
                positive = values >= threshold
                axes.plot(positive[~truth].mean(), positive[truth].mean(), "o", color=line.get_color())
    axes.plot((0, 1), (0, 1), color=MARKER, linestyle=":")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, loc="lower right")
    _save(figure, path)


def _most_common(labels: NDArray[Any], classes: int) -> list[int]:
    counts = np.bincount(labels, minlength=classes)
    return sorted(np.argsort(-counts, kind="stable")[:MOST_CURVES].tolist())


def _figure(width: float, height: float) -> Any:
    require("matplotlib")
    module = importlib.import_module("matplotlib.figure")
    return module.Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    buffer = BytesIO()
    # Without time and version in the file, the same figures give the same bytes.
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomic(path, buffer.getvalue())


def plot_bars(path: Path, bars: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Plot bars of accuracy with intervals: (name, row with accuracy, low and high)."""
    figure = _figure(8, 1.2 + 0.45 * len(bars))
    axes = figure.add_subplot(1, 1, 1)
    for place, (_, row) in enumerate(bars):
        value = float(row["accuracy"] or 0)
        errors = [[max(value - float(row["low"]), 0)], [max(float(row["high"]) - value, 0)]]
        axes.barh(place, value, xerr=errors, color=TRAINING, alpha=0.8, capsize=3)
        axes.text(0.01, place, f"{value:.1%} of {row['n']:,}", va="center", color="white", fontsize=8)
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("accuracy, with its 95 % interval")
    _save(figure, path)
