"""The training loop: two phases, epoch by epoch, resumable after each epoch.

Each epoch is one call of Keras's ``fit`` with its own order, augmentation and dropout seed. Its result
depends only on the seed, its number, and the model and optimizer before it, which are on disk. The state
names its files: a kill between two writes leaves the previous state intact.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from maskgen.errors import MaskgenError
from maskgen.keras_runtime import keras
from maskgen.train.checkpoint import Progress, better, read_progress, write_history, write_progress
from maskgen.train.data.feed import Feed, reraise_read_errors
from maskgen.train.model.build import (
    average_over,
    build_model,
    freeze_backbone,
    train_everything,
    unfreeze_blocks,
)
from maskgen.train.model.load import load_model
from maskgen.train.options import Phase, TrainOptions

CHECKPOINT = "checkpoint"
HISTORY = "history.csv"

log = logging.getLogger("maskgen")


def fit(
    run: Path,
    options: TrainOptions,
    training: Feed,
    validation: Feed,
    classes: int,
    *,
    progress: bool = True,
    after_epoch: Callable[[Progress], None] | None = None,
) -> Progress:
    """Train a model, from the start or from the last checkpoint.

    Args:
        run: The run folder; ``checkpoint/`` contains the state, ``history.csv`` the epochs.
        options: The options of the run.
        training: The training examples, augmented by the options.
        validation: The validation examples, never augmented.
        classes: Number of classes.
        progress: Show a progress bar on stderr.
        after_epoch: Called with the state when an epoch is on disk.

    Returns:
        The last state; it names the best and the last model.
    """
    folder = run / CHECKPOINT
    folder.mkdir(parents=True, exist_ok=True)
    state = read_progress(folder)
    write_history(run / HISTORY, state.history)
    model: Any = None
    while state.phase < len(options.phases):
        phase = options.phases[state.phase]
        if state.epoch == 0:
            model = _start_phase(folder, state, phase, options, classes)
            average_over(model, training.steps)
        elif model is None:
            model = load_model(folder / str(state.last_file), compile=True)
        if state.epoch >= phase.epochs or (options.patience and state.waited >= options.patience):
            state = state.next_phase()
            write_progress(folder, state)
            continue
        figures = _epoch(model, phase, state, options, training, validation, progress)
        state = _save(folder, model, state, figures, options)
        write_history(run / HISTORY, state.history)
        if after_epoch is not None:
            after_epoch(state)
    return state


def learning_rate(phase: Phase, schedule: str, epoch: int, reductions: int = 0) -> float:
    """The learning rate of an epoch, counted from 0 within its phase."""
    if schedule == "cosine":
        return phase.rate * 0.5 * (1 + math.cos(math.pi * epoch / phase.epochs))
    if schedule == "step":
        return phase.rate * (
            1.0 if epoch < 0.6 * phase.epochs else 0.1 if epoch < 0.85 * phase.epochs else 0.01
        )
    return phase.rate * 0.5**reductions


def _start_phase(folder: Path, state: Progress, phase: Phase, options: TrainOptions, classes: int) -> Any:
    """The model at the start of a phase: a new one, or the best so far with other trainable layers."""
    if state.best_file is not None:
        model = load_model(folder / state.best_file)
    else:
        model = new_model(options, classes, mixed=options.mixed_precision)
    if phase.name == "head":
        freeze_backbone(model)
    elif phase.name == "scratch":
        train_everything(model)
    else:
        blocks = unfreeze_blocks(model, options.backbone, options.unfreeze)
        log.info("fine-tuning blocks %s", ", ".join(blocks))
    model.compile(
        optimizer=_optimizer(
            (phase.name == "fine-tune" and options.fine_tune_optimizer) or options.optimizer, phase.rate
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def new_model(options: TrainOptions, classes: int, *, mixed: bool = False) -> Any:
    """The untrained model of a run; `mixed` is for mixed precision."""
    k = keras()
    previous = k.config.dtype_policy()
    k.config.set_dtype_policy("mixed_float16" if mixed else "float32")
    try:
        return build_model(
            options.backbone,
            classes,
            size=options.input_size,
            head=options.head,
            dropout=options.dropout,
            weights=options.weights,
        )
    finally:
        k.config.set_dtype_policy(previous)


def _optimizer(name: str, rate: float) -> Any:
    optimizers = keras().optimizers
    if name == "sgd":
        return optimizers.SGD(rate, momentum=0.9, nesterov=True)
    return {"adam": optimizers.Adam, "adamw": optimizers.AdamW, "rmsprop": optimizers.RMSprop}[name](rate)


def _epoch(
    model: Any,
    phase: Phase,
    state: Progress,
    options: TrainOptions,
    training: Feed,
    validation: Feed,
    progress: bool,
) -> dict[str, Any]:
    number = len(state.history)
    rate = learning_rate(phase, options.schedule, state.epoch, state.reductions)
    model.optimizer.learning_rate = rate
    _seed_dropout(model, options.seed, number)
    batches = training.shuffled(options.seed, number, options.augmentation)
    with tqdm(
        total=int(batches.cardinality()),
        desc=f"{phase.name} {state.epoch + 1}/{phase.epochs}",
        unit="batch",
        disable=None if progress else True,
    ) as bar:
        count = keras().callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        started = time.monotonic()
        with reraise_read_errors(training, validation):
            fitted = model.fit(
                batches,
                validation_data=validation.in_order(),
                epochs=1,
                verbose=0,
                callbacks=[count],
                shuffle=False,
            )
        seconds = time.monotonic() - started
        figures = {name: float(values[-1]) for name, values in fitted.history.items()}
        bar.set_postfix({name: f"{value:.3f}" for name, value in figures.items()})
    if not math.isfinite(figures["loss"]):
        halves = ", or omit --mixed-precision" if options.mixed_precision else ""
        raise MaskgenError(
            f"the loss is {figures['loss']} after epoch {state.epoch + 1} of phase {phase.name}: give a "
            f"smaller --learning-rate{halves}"
        )
    return {
        "phase": phase.name,
        "epoch": state.epoch + 1,
        "learning_rate": rate,
        **figures,
        "seconds": round(seconds, 2),
    }


def _seed_dropout(model: Any, seed: int, epoch: int) -> None:
    """Seed the dropout layers by the number of the epoch, because Keras does not save their state."""
    draws = np.random.default_rng((seed % 2**63, epoch, 2))
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(draws.integers(0, 2**32, 2, dtype=np.uint32))


def _save(
    folder: Path, model: Any, state: Progress, figures: Mapping[str, Any], options: TrainOptions
) -> Progress:
    value = float(figures[options.monitor])
    epochs = len(state.history) + 1
    improved = better(value, state.phase_best, options.monitor)
    best = better(value, state.best, options.monitor)
    waited = 0 if improved else state.waited + 1
    last_file = f"epoch-{epochs:04}.keras"
    model.save(str(folder / last_file))
    best_file = f"best-{epochs:04}.keras" if best else state.best_file
    if best:
        model.save(str(folder / str(best_file)), include_optimizer=False)
    # A plateau is half the patience without a better epoch, or three epochs if there is no patience.
    plateau = waited > 0 and waited % max(options.patience // 2, 1 if options.patience else 3) == 0
    after = replace(
        state,
        epoch=state.epoch + 1,
        waited=waited,
        reductions=state.reductions + (options.schedule == "plateau" and plateau),
        phase_best=value if improved else state.phase_best,
        best=value if best else state.best,
        best_file=best_file,
        last_file=last_file,
        history=(*state.history, dict(figures)),
    )
    write_progress(folder, after)
    return after
