"""The training checkpoint: the state from which a killed run resumes, and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from maskgen.errors import ConfigurationError
from maskgen.files.atomic import write_atomic
from maskgen.files.csv_text import csv_text

STATE = "state.json"
COLUMNS = ("phase", "epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")

Epoch = Mapping[str, "str | int | float"]


@dataclass(frozen=True)
class Progress:
    """The state after an epoch. File names are relative to the checkpoint folder.

    Attributes:
        phase: Index of the phase; the number of phases when the training is complete.
        epoch: Number of completed epochs of this phase.
        waited: Number of epochs since the best epoch of this phase.
        reductions: Number of times the plateau schedule has halved the learning rate.
        phase_best: Monitored value of the best epoch of this phase.
        best: Monitored value of the best epoch of the run.
        best_file: The model after the best epoch of the run.
        last_file: The model after the last epoch, with its optimizer.
        history: All epochs so far; keys are `COLUMNS`.
    """

    phase: int = 0
    epoch: int = 0
    waited: int = 0
    reductions: int = 0
    phase_best: float | None = None
    best: float | None = None
    best_file: str | None = None
    last_file: str | None = None
    history: tuple[Epoch, ...] = ()

    def next_phase(self) -> Progress:
        """The state before the first epoch of the next phase."""
        return replace(self, phase=self.phase + 1, epoch=0, waited=0, reductions=0, phase_best=None)


def better(value: float, than: float | None, monitor: str) -> bool:
    """Whether a monitored value is better than another; any value is better than None."""
    if than is None:
        return True
    return value > than if monitor.endswith("accuracy") else value < than


def read_progress(folder: Path) -> Progress:
    """Read the state of a checkpoint folder; the initial state if there is none."""
    path = folder / STATE
    if not path.is_file():
        return Progress()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Progress(**{**values, "history": tuple(values["history"])})
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the state of a training: {error}") from error


def write_progress(folder: Path, state: Progress) -> None:
    """Write the state atomically, then remove the models it does not name."""
    write_atomic(folder / STATE, json.dumps(asdict(state), indent=1).encode())
    for path in folder.glob("*.keras"):
        if path.name not in (state.best_file, state.last_file):
            path.unlink()


def write_history(path: Path, history: Sequence[Epoch]) -> None:
    """Write the epochs as CSV."""
    rows = ([epoch[name] for name in COLUMNS] for epoch in history)
    write_atomic(path, csv_text(COLUMNS, rows).encode())
