"""The training loop: two phases, epoch by epoch, resumable after each epoch.

Each epoch is one call of Keras's ``fit`` with its own order, augmentation and dropout seed. Its result
depends only on the seed, its number, and the model and optimizer before it, which are on disk. The state
names its files: a kill between two writes leaves the previous state intact.
"""

import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from maskgen.errors import ConfigurationError, MaskgenError
from maskgen.files.atomic import write_atomic
from maskgen.files.csv_text import csv_text
from maskgen.keras_runtime import keras
from maskgen.train.data.feed import Feed, reraise_read_errors
from maskgen.train.model import build
from maskgen.train.model.load import load_model
from maskgen.train.options import Phase, TrainOptions

CHECKPOINT, STATE, HISTORY = "checkpoint", "state.json", "history.csv"
COLUMNS = ("phase", "epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")

Epoch = Mapping[str, "str | int | float"]

log = logging.getLogger("maskgen")


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


def fit(
    run: Path, options: TrainOptions, training: Feed, validation: Feed, classes: int, *, progress: bool = True
) -> Progress:
    """Train a model of so many classes, from the start or from the last checkpoint, to the last state.

    In the run folder, ``checkpoint/`` contains the state and the models, ``history.csv`` the epochs.
    """
    folder = run / CHECKPOINT
    folder.mkdir(parents=True, exist_ok=True)
    state = read_progress(folder, options.monitor)
    write_history(run / HISTORY, state.history)
    for phase in options.phases:
        model: Any = None
        while len(waits := state.waits(phase.name)) < phase.epochs:
            if options.patience and waits and waits[-1] >= options.patience:
                break
            if model is None and waits:
                model = load_model(folder / state.last_file, compile=True)
            elif model is None:
                model = _start_phase(folder, state, phase, options, classes)
                build.average_over(model, training.steps)
            epoch = _epoch(model, phase, waits, len(state.history), options, training, validation, progress)
            previous, state = state, replace(state, history=(*state.history, epoch))
            model.save(folder / state.last_file)
            if state.best_file != previous.best_file:
                model.save(folder / str(state.best_file), include_optimizer=False)
            # Only now the epoch counts.
            write_progress(folder, state)
            write_history(run / HISTORY, state.history)
    return state


def learning_rate(phase: Phase, schedule: str, epoch: int, reductions: int = 0) -> float:
    """The learning rate of an epoch, counted from 0 within its phase."""
    if schedule == "cosine":
        return phase.rate * 0.5 * (1 + math.cos(math.pi * epoch / phase.epochs))
    if schedule == "step":
        steps = ((0.6, 1.0), (0.85, 0.1), (math.inf, 0.01))
        return phase.rate * next(factor for share, factor in steps if epoch < share * phase.epochs)
    return phase.rate * 0.5**reductions


def _start_phase(folder: Path, state: Progress, phase: Phase, options: TrainOptions, classes: int) -> Any:
    """The model at the start of a phase: a new one, or the best so far with other trainable layers."""
    name, best = options.optimizer, state.best_file
    model = load_model(folder / best) if best else new_model(options, classes, options.mixed_precision)
    if phase.name == "head":
        build.freeze_backbone(model)
    elif phase.name == "fine-tune":
        name = options.fine_tune_optimizer or name
        blocks = build.unfreeze_blocks(model, options.backbone, options.unfreeze)
        log.info("fine-tuning blocks %s", ", ".join(blocks))
    k, sgd = keras().optimizers, {"momentum": 0.9, "nesterov": True}
    kinds = {"adam": k.Adam, "adamw": k.AdamW, "rmsprop": k.RMSprop, "sgd": partial(k.SGD, **sgd)}
    model.compile(kinds[name](phase.rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def new_model(options: TrainOptions, classes: int, mixed: bool = False) -> Any:
    """The untrained model of a run; `mixed` is for mixed precision."""
    config = keras().config
    previous = config.dtype_policy()
    config.set_dtype_policy("mixed_float16" if mixed else "float32")
    try:
        layers: dict[str, Any] = {"head": options.head, "dropout": options.dropout}
        size, weights = options.input_size, options.weights
        return build.build_model(options.backbone, classes, size=size, weights=weights, **layers)
    finally:
        config.set_dtype_policy(previous)


def _epoch(
    model: Any,
    phase: Phase,
    waits: Sequence[int],
    number: int,
    options: TrainOptions,
    training: Feed,
    validation: Feed,
    progress: bool,
) -> Epoch:
    """Train one epoch, number `number` of the run; `waits` are those of the phase so far."""
    # A plateau is half the patience without a better epoch, or three epochs if there is no patience.
    plateau = max(options.patience // 2, 1) if options.patience else 3
    reductions = sum(wait > 0 and wait % plateau == 0 for wait in waits)
    rate = learning_rate(phase, options.schedule, len(waits), reductions)
    model.optimizer.learning_rate = rate
    # Keras does not save the state of the dropout layers.
    draws = np.random.default_rng((options.seed % 2**63, number, 2))
    for layer in model.layers:
        if (generator := getattr(layer, "seed_generator", None)) is not None:
            generator.state.assign(draws.integers(0, 2**32, 2, dtype=np.uint32))
    batches = training.shuffled(options.seed, number, options.augmentation)
    title, disable = f"{phase.name} {len(waits) + 1}/{phase.epochs}", None if progress else True
    with tqdm(total=int(batches.cardinality()), desc=title, unit="batch", disable=disable) as bar:
        count = keras().callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        started = time.monotonic()
        with reraise_read_errors(training, validation):
            fitted = model.fit(
                batches, validation_data=validation.in_order(), verbose=0, callbacks=[count], shuffle=False
            )
        seconds = time.monotonic() - started
        figures = {name: float(values[-1]) for name, values in fitted.history.items()}
        bar.set_postfix({name: f"{value:.3f}" for name, value in figures.items()})
    if not math.isfinite(figures["loss"]):
        halves = ", or omit --mixed-precision" if options.mixed_precision else ""
        raise MaskgenError(
            f"the loss is {figures['loss']} after epoch {len(waits) + 1} of phase {phase.name}: give a "
            f"smaller --learning-rate{halves}"
        )
    epoch: Epoch = {"phase": phase.name, "epoch": len(waits) + 1, "learning_rate": rate}
    return {**epoch, **figures, "seconds": round(seconds, 2)}


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
