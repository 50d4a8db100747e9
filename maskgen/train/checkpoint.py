"""How far a training is: the state that a killed run goes on from, and the epochs so far."""

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
    """What is known after an epoch. All file names are those of files in the checkpoint folder.

    Attributes:
        phase: Index of the phase; one past the last when the training is over.
        epoch: Epochs of this phase that are done.
        waited: How many of them have passed since the phase's best.
        reductions: How often the plateau schedule has halved the learning rate.
        phase_best: The monitored value of the phase's best epoch.
        best: That of the whole run's.
        best_file: The model after the run's best epoch.
        last_file: The model after the last epoch, with its optimizer.
        history: Every epoch so far, by `COLUMNS`.
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
    """Whether a monitored value is better than another; anything is better than none."""
    if than is None:
        return True
    return value > than if monitor.endswith("accuracy") else value < than


def read_progress(folder: Path) -> Progress:
    """The state in a checkpoint folder; the beginning where there is none."""
    path = folder / STATE
    if not path.is_file():
        return Progress()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Progress(**{**values, "history": tuple(values["history"])})
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the state of a training: {error}") from error


def write_progress(folder: Path, state: Progress) -> None:
    """Write the state, whole or not at all, and then remove the models it does not name."""
    write_atomic(folder / STATE, json.dumps(asdict(state), indent=1).encode())
    for path in folder.glob("*.keras"):
        if path.name not in (state.best_file, state.last_file):
            path.unlink()


def write_history(path: Path, history: Sequence[Epoch]) -> None:
    """Write the epochs as CSV."""
    rows = ([epoch[name] for name in COLUMNS] for epoch in history)
    write_atomic(path, csv_text(COLUMNS, rows).encode())
