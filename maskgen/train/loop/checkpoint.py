"""The state of a training on disk: the completed epochs, the models, and the optimizer.

The state names its files: a kill between two writes leaves the previous state intact. The optimizer's
numbers are arrays in an ``.npz`` file: every backend of Keras reads them.
"""

import csv
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.errors import ConfigurationError
from maskgen.files.atomic import write_atomic
from maskgen.files.csv_text import csv_text
from maskgen.keras_runtime import keras

CHECKPOINT, STATE, HISTORY = "checkpoint", "state.json", "history.csv"
COLUMNS = (
    *("phase", "epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy", "val_auc"),
    *("feed_seconds", "validation_seconds", "seconds"),
)

Epoch = Mapping[str, "str | int | float"]


@dataclass(frozen=True)
class Progress:
    """The completed epochs of a run: all else follows from them, also the names of its models."""

    monitor: str  # name of the value that decides which epoch is best
    history: tuple[Epoch, ...] = ()  # their keys are `COLUMNS`

    def waits(self, phase: str) -> list[int]:
        """For each epoch of a phase, the number of epochs since the best one so far."""
        epochs = [epoch for epoch in self.history if epoch["phase"] == phase]
        return [last - self._best(epochs[: last + 1]) for last in range(len(epochs))]

    def _best(self, epochs: Sequence[Epoch]) -> int:
        best = min if self.monitor.endswith("loss") else max
        return best(range(len(epochs)), key=lambda place: epochs[place][self.monitor])

    @property
    def best(self) -> Epoch:
        """The best epoch."""
        return self.history[self._best(self.history)]

    @property
    def best_file(self) -> str | None:
        """The model after the best epoch; None before the first epoch."""
        return f"best-{self._best(self.history) + 1:04}.keras" if self.history else None

    @property
    def last_file(self) -> str:
        """The model after the last epoch."""
        return f"epoch-{len(self.history):04}.keras"

    @property
    def optimizer_file(self) -> str:
        """The optimizer after the last epoch."""
        return f"epoch-{len(self.history):04}.npz"


def read_progress(folder: Path, monitor: str) -> Progress:
    """Read the state of a checkpoint folder; the initial state if there is none."""
    path = folder / STATE
    if not path.is_file():
        return Progress(monitor)
    try:
        return Progress(monitor, tuple(json.loads(path.read_text(encoding="utf-8"))["history"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the state of a training: {error}") from error


def write_progress(folder: Path, state: Progress) -> None:
    """Write the state atomically, then remove the models and optimizers it does not name."""
    write_atomic(folder / STATE, json.dumps({"history": state.history}, indent=1).encode())
    for path in (*folder.glob("*.keras"), *folder.glob("epoch-*.npz")):
        if path.name not in (state.best_file, state.last_file, state.optimizer_file):
            path.unlink()


def write_history(path: Path, history: Sequence[Epoch]) -> None:
    """Write the epochs as CSV."""
    rows = ([epoch[name] for name in COLUMNS] for epoch in history)
    write_atomic(path, csv_text(COLUMNS, rows).encode())


def read_history(path: Path) -> tuple[Epoch, ...]:
    """Read the epochs of `write_history`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple({name: _value(name, row[name]) for name in COLUMNS} for row in csv.DictReader(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the epochs of a run of this version: {error}") from error


def _value(column: str, text: str) -> str | int | float:
    return text if column == "phase" else int(text) if column == "epoch" else float(text)


def save_optimizer(path: Path, optimizer: Any) -> None:
    """Write the numbers of an optimizer: its step, moments and averages."""
    with path.open("wb") as file:
        np.savez(file, *map(keras().ops.convert_to_numpy, optimizer.variables))


def restore_optimizer(path: Path, optimizer: Any) -> None:
    """Read the numbers of an optimizer with the same options for the same weights."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values = [arrays[name] for name in arrays.files]
        for variable, value in zip(optimizer.variables, values, strict=True):
            variable.assign(value)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"{path}: not the optimizer of this training: {error}") from error
