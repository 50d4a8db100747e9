"""Plots as PNG: training curves, confusion matrix, ROC and bars of accuracy (matplotlib)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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


@contextmanager
def _saved_axes(path: Path, width: float, height: float, columns: int = 1) -> Iterator[list[Any]]:
    """The empty axes of a figure of this size in inches, which is saved at the end of the block."""
    require("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    yield [figure.add_subplot(1, columns, place + 1) for place in range(columns)]
    buffer = BytesIO()
    # Without time and version in the file, the same figures give the same bytes.
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomic(path, buffer.getvalue())


def plot_curves(path: Path, history: Sequence[Epoch]) -> None:
    """Plot loss and accuracy by epoch, with markers at the start of fine-tuning and the best epoch."""
    epochs = np.arange(1, len(history) + 1)
    fine_tune_start = next((place for place, row in enumerate(history) if row["phase"] == "fine-tune"), 0)
    best = np.argmin([float(row["val_loss"]) for row in history]) + 1
    with _saved_axes(path, 9, 3.6, columns=2) as both:
        for axes, name in zip(both, ("loss", "accuracy"), strict=True):
            for column, color, label in (
                (name, TRAINING, "training"),
                (f"val_{name}", VALIDATION, "validation"),
            ):
                axes.plot(epochs, [row[column] for row in history], color=color, marker=".", label=label)
            if fine_tune_start:
                axes.axvline(fine_tune_start + 0.5, color=MARKER, linestyle="--", label="fine-tuning")
            axes.axvline(best, color=VALIDATION, alpha=0.3, linewidth=5, label="lowest validation loss")
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
            axes.set_ylabel(name)
            axes.grid(alpha=0.3)
        both[-1].legend(fontsize=8)


def plot_confusion(path: Path, counts: NDArray[np.int64], classes: Sequence[str], title: str) -> None:
    """Plot a confusion matrix: counts and shares of the true class; only colours for many classes."""
    side = min(len(classes), MOST_INCHES)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with _saved_axes(path, 2.6 + side, 2.2 + side) as (axes,):
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        # A text takes milliseconds, and 1,000 classes would have a million texts.
        for row, column in np.ndindex(*counts.shape) if len(classes) <= MOST_INCHES else ():
            text = f"{counts[row, column]:,}\n{shares[row, column]:.1%}"
            color = "white" if shares[row, column] > 0.55 else "black"
            axes.text(column, row, text, ha="center", va="center", color=color)
        shown = range(0, len(classes), -(-len(classes) // MOST_NAMES))
        names = [classes[place] for place in shown]
        axes.set_xticks(shown, names, rotation=0 if len(classes) <= MOST_INCHES else 90)
        axes.set_yticks(shown, names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.set_title(title)


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
    with _saved_axes(path, 4.6, 4.4) as (axes,):
        for name, (labels, probabilities) in curves.items():
            most_common = np.argsort(-np.bincount(labels, minlength=len(classes)), kind="stable")
            for place in (1,) if len(classes) == 2 else sorted(most_common[:MOST_CURVES].tolist()):
                truth, values = labels == place, probabilities[:, place]
                if truth.all() or not truth.any():
                    continue
                false, true, area = roc(truth, values)
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


def plot_bars(path: Path, bars: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Plot bars of accuracy with intervals: (name, row with accuracy, low and high)."""
    with _saved_axes(path, 8, 1.2 + 0.45 * len(bars)) as (axes,):
        for place, (_, row) in enumerate(bars):
            value = float(row["accuracy"])
            errors = [[max(value - row["low"], 0)], [max(row["high"] - value, 0)]]
            axes.barh(place, value, xerr=errors, color=TRAINING, alpha=0.8, capsize=3)
            axes.text(0.01, place, f"{value:.1%} of {row['n']:,}", va="center", color="white", fontsize=8)
        axes.set_yticks(range(len(bars)), [name for name, _ in bars])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("accuracy, with its 95 % interval")
