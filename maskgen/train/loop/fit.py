"""The training loop: two phases, epoch by epoch, resumable after each epoch.

The result of an epoch depends only on the seed, its number, and the model and optimizer before it, which are
on disk.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from maskgen.errors import ConfigurationError, MaskgenError
from maskgen.keras_runtime import compiles, keras
from maskgen.train.data.feed import Feed
from maskgen.train.loop.checkpoint import (
    CHECKPOINT,
    HISTORY,
    Epoch,
    Progress,
    read_progress,
    restore_optimizer,
    save_optimizer,
    write_history,
    write_progress,
)
from maskgen.train.loop.epoch import Batches, predict, train_epoch, validation_figures
from maskgen.train.loop.frozen_features import FrozenFeatures
from maskgen.train.loop.run_log import epoch_line, phase_line, say
from maskgen.train.model import build
from maskgen.train.model.load import load_model
from maskgen.train.model.optimizer import averaged, learning_rates, new_optimizer, plateau_factor
from maskgen.train.model.weights.keras_file import is_head
from maskgen.train.options import Phase, TrainOptions
from maskgen.train.spec import read_spec

# Batches whose features give the statistics of the head's BatchNorm.
RENEWING_BATCHES = 32

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class Stage:
    """What learns in a phase."""

    phase: Phase
    model: Any  # the whole classifier
    learner: Any  # the compiled model that learns: the classifier, or its head on the backbone's features
    training: Batches
    validation: Batches


def fit(
    run: Path,
    options: TrainOptions,
    training: Feed,
    validation: Feed,
    classes: Sequence[str],
    *,
    progress: bool = True,
) -> Progress:
    """Train a model of these classes, from the start or from the last checkpoint, to the last state.

    In the run folder, ``checkpoint/`` contains the state and the models, ``history.csv`` the epochs.
    """
    folder = run / CHECKPOINT
    folder.mkdir(parents=True, exist_ok=True)
    state = read_progress(folder, options.monitor)
    write_history(run / HISTORY, state.history)
    for phase in options.phases:
        stage: Stage | None = None
        while len(waits := state.waits(phase.name)) < phase.epochs:
            if options.patience and waits and waits[-1] >= options.patience:
                break
            if stage is None:
                stage = _open_stage(folder, state, phase, options, training, validation, classes)
            epoch = _run_epoch(stage, waits, len(state.history), options, validation.labels, progress)
            state = _save_epoch(run, stage, state, epoch)
            say(epoch_line(phase, state, epoch), progress)
        if stage is not None:
            say(phase_line(phase, state, options.patience), progress)
        for path in folder.glob("features-*.npy"):
            path.unlink()
    return state


def _save_epoch(run: Path, stage: Stage, previous: Progress, epoch: Epoch) -> Progress:
    folder, state = run / CHECKPOINT, replace(previous, history=(*previous.history, epoch))
    stage.model.save(folder / state.last_file)
    save_optimizer(folder / state.optimizer_file, stage.learner.optimizer)
    if state.best_file != previous.best_file:
        with averaged(stage.learner):
            stage.model.save(folder / str(state.best_file))
    # Only now the epoch counts.
    write_progress(folder, state)
    write_history(run / HISTORY, state.history)
    return state


def new_model(options: TrainOptions, classes: Sequence[str], mixed: bool = False) -> Any:
    """The untrained model of a run; `mixed` is for mixed precision."""
    config = keras().config
    previous = config.dtype_policy()
    config.set_dtype_policy("mixed_float16" if mixed else "float32")
    try:
        layers: dict[str, Any] = {"head": options.head, "dropout": options.dropout}
        size, weights = options.input_size, options.weights
        model = build.build_model(options.backbone, len(classes), size=size, weights=weights, **layers)
        if weights.endswith(".keras"):
            _take_head(model, Path(weights), classes)
        return model
    finally:
        config.set_dtype_policy(previous)


def _take_head(model: Any, path: Path, classes: Sequence[str]) -> None:
    """Take over the head of another model too, if it is for the same classes and of the same shape."""
    try:
        if read_spec(path).classes != tuple(classes):
            return
    except ConfigurationError:
        # A model of Keras that `maskgen train` did not write.
        return
    sources = [layer for layer in load_model(path).layers if layer.weights and is_head(layer)]
    heads = [layer for layer in model.layers if layer.weights and is_head(layer)]
    shapes = [[[weight.shape for weight in layer.weights] for layer in layers] for layers in (sources, heads)]
    if shapes[0] == shapes[1]:
        log.info("taking the head of %s", path)
        for layer, source in zip(heads, sources, strict=True):
            layer.set_weights(source.get_weights())


def _open_stage(
    folder: Path,
    state: Progress,
    phase: Phase,
    options: TrainOptions,
    training: Feed,
    validation: Feed,
    classes: Sequence[str],
) -> Stage:
    """The start of a phase, from the best model so far or a new one; or its state after the last epoch."""
    begun = bool(state.waits(phase.name))
    file = state.last_file if begun else state.best_file
    model = load_model(folder / file) if file else new_model(options, classes, options.mixed_precision)
    # A model that is compiled would be saved with its optimizer.
    learner = keras().Model(model.inputs, model.outputs[0])
    sets: tuple[Batches, Batches] = training, validation
    if phase.kind == "head":
        backbone, learner = build.split_head(model)
        build.freeze_backbone(model)
        sets = (
            FrozenFeatures(training, backbone, folder, "training", options.feature_copies),
            FrozenFeatures(validation, backbone, folder, "validation", 1),
        )
    elif phase.kind == "fine-tune":
        blocks = build.unfreeze_blocks(model, options.backbone, options.unfreeze)
        log.info("fine-tuning blocks %s", ", ".join(blocks))
    build.average_over(model, training.steps)
    _compile(model, learner, phase, options, training.steps)
    if begun and (folder / state.optimizer_file).is_file():
        restore_optimizer(folder / state.optimizer_file, learner.optimizer)
    return Stage(phase, model, learner, *sets)


def _compile(model: Any, learner: Any, phase: Phase, options: TrainOptions, steps: int) -> None:
    tuning = phase.kind == "fine-tune"
    name = (options.fine_tune_optimizer if tuning else None) or options.optimizer
    rates = learning_rates(
        phase.rate, options.schedule, phase.epochs, steps, options.warm_up if tuning else 0
    )
    optimizer = new_optimizer(
        name,
        rates[:1] if options.schedule == "plateau" else rates,
        build.block_shares(model, options.backbone, options.block_decay) if tuning else {},
        weight_decay=options.weight_decay,
        average=options.average if tuning else 0.0,
    )
    loss = keras().losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    if options.mixed_precision:
        optimizer = keras().optimizers.LossScaleOptimizer(optimizer)
    settings = {"auto_scale_loss": False, "jit_compile": compiles()}
    learner.compile(optimizer, loss, metrics=["accuracy"], **settings)
    learner.optimizer.build(learner.trainable_variables)


def _run_epoch(
    stage: Stage,
    waits: Sequence[int],
    number: int,
    options: TrainOptions,
    labels: Any,
    progress: bool,
) -> Epoch:
    """Train one epoch, number `number` of the run; `waits` are those of the phase so far."""
    phase, learner = stage.phase, stage.learner
    if options.schedule == "plateau":
        learner.optimizer.learning_rate = phase.rate * plateau_factor([*waits], options.patience)
    # Keras does not save the state of the dropout layers.
    draws = np.random.default_rng((options.seed % 2**63, number, 2))
    for layer in stage.model.layers:
        if (generator := getattr(layer, "seed_generator", None)) is not None:
            generator.state.assign(draws.integers(0, 2**32, 2, dtype=np.uint32))
    title, disable = f"{phase.name} {len(waits) + 1}/{phase.epochs}", None if progress else True
    started = time.monotonic()
    batches = stage.training.shuffled(options.seed, number, options.augmentation)
    with tqdm(total=stage.training.steps, desc=title, unit="batch", disable=disable, leave=False) as bar:
        figures = train_epoch(learner, stage.model.output_shape[-1], batches, bar.update)
    if not math.isfinite(figures["loss"]):
        halves = ", or omit --mixed-precision" if options.mixed_precision else ""
        raise MaskgenError(
            f"the loss is {figures['loss']} after epoch {len(waits) + 1} of phase {phase.name}: give a "
            f"smaller --learning-rate{halves}"
        )
    trained = time.monotonic()
    with averaged(learner):
        if phase.kind == "fine-tune":
            fresh = stage.training.shuffled(options.seed, number, options.augmentation)
            build.renew_batch_norm(stage.model, (batch.inputs for batch in islice(fresh, RENEWING_BATCHES)))
        validated = validation_figures(labels, predict(learner, stage.validation.in_order()))
    return {
        "phase": phase.name,
        "epoch": len(waits) + 1,
        "learning_rate": float(keras().ops.convert_to_numpy(learner.optimizer.learning_rate)),
        **figures,
        **validated,
        "validation_seconds": round(time.monotonic() - trained, 2),
        "seconds": round(time.monotonic() - started, 2),
    }
