"""Plots as PNG: training curves, confusion, ROC, reliability, accuracies; and a grid of training images."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from maskgen.files.atomic import write_atomic
from maskgen.keras_runtime import require
from maskgen.train.data.augment import Augmentation
from maskgen.train.data.feed import Feed
from maskgen.train.loop.checkpoint import Epoch
from maskgen.train.metrics import decide, roc

TRAINING, VALIDATION, MARKER = "#1f6f8b", "#d1495b", "#666666"

# Maximum side of the confusion matrix; a cell with its numbers takes an inch.
MOST_INCHES = 16
# Maximum number of names on an axis; with more classes, every second, third ... is named.
MOST_NAMES = 60
# Maximum number of curves in one figure: the classes with most examples.
MOST_CURVES = 10
# Size of the preview; the gap between its images is in pixels.
ROWS, COLUMNS, GAP = 6, 8, 4


@contextmanager
def _saved_axes(path: Path, width: float, height: float, columns: int = 1) -> Iterator[list[Any]]:
    """The empty axes of a figure of this size in inches, which is saved at the end of the block."""
    require("matplotlib")
    import matplotlib
    from matplotlib.figure import Figure

    # A "$" in the name of a class or file is no formula.
    with matplotlib.rc_context({"text.parse_math": False}):
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
            axes.set(xlabel="epoch", ylabel=name)
            axes.locator_params(axis="x", integer=True)
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
        axes.set(xlabel="predicted", ylabel="true", title=title)


def plot_roc(
    path: Path,
    curves: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    classes: Sequence[str],
) -> None:
    """Plot ROC curves of each set: one for two classes, otherwise one-against-rest for the most common.

    `curves` are name -> (labels, probabilities). For two classes, the point of the predictions is marked.
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
                if len(classes) == 2:
                    positive = decide(probabilities) == 1
                    axes.plot(positive[~truth].mean(), positive[truth].mean(), "o", color=line.get_color())
        axes.plot((0, 1), (0, 1), color=MARKER, linestyle=":")
        axes.set(xlabel="false positive rate", ylabel="true positive rate")
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="lower right")


def plot_reliability(path: Path, sets: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """Plot accuracy against confidence for the bins of `maskgen.train.metrics.reliability` of each set.

    The area of a marker is the share of the images in its bin.
    """
    with _saved_axes(path, 4.6, 4.4) as (axes,):
        for name, bins in sets.items():
            confidence, accuracy = ([each[key] for each in bins] for key in ("confidence", "accuracy"))
            total = sum(each["n"] for each in bins)
            (line,) = axes.plot(confidence, accuracy, label=name)
            sizes = [12 + 400 * each["n"] / total for each in bins]
            axes.scatter(confidence, accuracy, s=sizes, color=line.get_color(), alpha=0.5)
        axes.plot((0, 1), (0, 1), color=MARKER, linestyle=":")
        lowest = min(each["confidence"] for bins in sets.values() for each in bins)
        axes.set(xlim=(0 if lowest < 0.5 else 0.5, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, loc="upper left")


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
        axes.set(xlim=(0, 1), xlabel="accuracy, with its 95 % interval")


def write_preview(path: Path, feed: Feed, seed: int, how: Augmentation) -> None:
    """Write the grid as PNG: originals in the first column, one epoch's augmentation in each other one."""
    places = np.linspace(0, len(feed) - 1, min(ROWS, len(feed))).astype(int)
    readers = [feed.image, *(feed.varied(seed, epoch, how) for epoch in range(COLUMNS - 1))]
    columns = [np.stack([image(int(place)) for place in places]) for image in readers]
    # (rows, columns, height, width, 3): a gap above and left of each image, and around the sheet.
    tiles = np.pad(np.stack(columns, 1), ((0, 0), (0, 0), (GAP, 0), (GAP, 0), (0, 0)), constant_values=255)
    sheet = np.vstack([np.hstack(list(row)) for row in tiles])
    sheet = np.pad(sheet, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)
    buffer = BytesIO()
    PillowImage.fromarray(sheet).save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())
