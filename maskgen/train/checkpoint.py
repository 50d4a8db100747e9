"""The training checkpoint: the state from which a killed run resumes, and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskgen.errors import ConfigurationError
from maskgen.files.atomic import write_atomic
from maskgen.files.csv_text import csv_text

STATE = "state.json"
COLUMNS = ("phase", "epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")

Epoch = Mapping[str, "str | int | float"]


@dataclass(frozen=True)
class Progress:
    """The completed epochs of a run. All else follows from them, also the names of the checkpoint's models.

    Attributes:
        monitor: Name of the value that decides which epoch is best.
        history: The epochs; keys are `COLUMNS`.
    """

    monitor: str
    history: tuple[Epoch, ...] = ()

    def waits(self, phase: str) -> list[int]:
        """For each epoch of a phase, the number of epochs since the best one so far."""
        epochs = [epoch for epoch in self.history if epoch["phase"] == phase]
        return [last - self._best(epochs[: last + 1]) for last in range(len(epochs))]

    def _best(self, epochs: Sequence[Epoch]) -> int:
        best = max if self.monitor.endswith("accuracy") else min
        return best(range(len(epochs)), key=lambda place: epochs[place][self.monitor])

    @property
    def best(self) -> str | int | float:
        """The monitored value of the best epoch."""
        return self.history[self._best(self.history)][self.monitor]

    @property
    def best_file(self) -> str | None:
        """The model after the best epoch, without its optimizer; None before the first epoch."""
        return f"best-{self._best(self.history) + 1:04}.keras" if self.history else None

    @property
    def last_file(self) -> str:
        """The model after the last epoch, with its optimizer."""
        return f"epoch-{len(self.history):04}.keras"


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
    """Write the state atomically, then remove the models it does not name."""
    write_atomic(folder / STATE, json.dumps({"history": state.history}, indent=1).encode())
    for path in folder.glob("*.keras"):
        if path.name not in (state.best_file, state.last_file):
            path.unlink()


def write_history(path: Path, history: Sequence[Epoch]) -> None:
    """Write the epochs as CSV."""
    rows = ([epoch[name] for name in COLUMNS] for epoch in history)
    write_atomic(path, csv_text(COLUMNS, rows).encode())
