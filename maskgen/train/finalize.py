"""Finish a training run: final models, decision threshold, figures, plots and model card."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.train.card import model_card
from maskgen.train.checkpoint import Progress, write_history
from maskgen.train.data.examples import Dropped, Example, reasons
from maskgen.train.data.feed import Feed, reraise_read_errors
from maskgen.train.fit import CHECKPOINT, HISTORY, new_model
from maskgen.train.metrics import choose_threshold, confusion, decide, scores
from maskgen.train.model.build import take_weights
from maskgen.train.model.load import load_model
from maskgen.train.options import TrainOptions
from maskgen.train.plots import plot_confusion, plot_curves, plot_roc
from maskgen.train.run_folder import PREDICTIONS, read_record, write_csv, write_json, write_predictions
from maskgen.train.spec import ModelSpec, embed_spec

BEST, LAST, METRICS = "best.keras", "last.keras", "metrics.json"


def finalize(
    run: Path,
    options: TrainOptions,
    classes: Sequence[str],
    dropped: Sequence[Dropped],
    validation: Feed,
    test: Feed | None,
    state: Progress,
) -> dict[str, Any]:
    """Evaluate the best model on validation and test, and write the final files of the run folder.

    This is the only use of the test split; no choice depends on it.

    Returns:
        The figures of ``metrics.json``.
    """
    folder = run / CHECKPOINT
    best = _as_float32(load_model(folder / str(state.best_file)), options)
    sets = {"validation": validation} | ({"test": test} if test is not None else {})
    with reraise_read_errors(*sets.values()):
        probabilities = {name: best.predict(feed.in_order(), verbose=0) for name, feed in sets.items()}
    threshold = choose_threshold(validation.labels, probabilities["validation"])
    spec = ModelSpec(
        tuple(classes),
        options.input_size,
        options.wanted.crop,
        options.wanted.margin,
        threshold,
        options.wanted.label,
        options.backbone,
    )
    last = load_model(folder / str(state.last_file))
    for name, model in ((BEST, best), (LAST, _as_float32(last, options))):
        _save_model(run / name, model, spec)
    metrics = {
        "threshold": threshold,
        "best": {"monitor": options.monitor, "value": state.best},
        "epochs": len(state.history),
        **{
            name: scores(feed.labels, probabilities[name], classes, threshold, _missed(dropped, name))
            for name, feed in sets.items()
        },
        "dropped": reasons(dropped),
    }
    _write_figures(run, sets, probabilities, classes, threshold)
    write_json(run / "labels.json", {name: place for place, name in enumerate(classes)})
    write_history(run / HISTORY, state.history)
    plot_curves(run / "curves.png", state.history)
    write_json(run / METRICS, metrics)
    (run / "README.md").write_text(model_card(options, spec, metrics, read_record(run)[2]), encoding="utf-8")
    # The last step: before it, the run can be resumed. The folder is renamed first, because a partly removed
    # checkpoint would look like a new run.
    removal = run / f".{CHECKPOINT}"
    shutil.rmtree(removal, ignore_errors=True)
    folder.rename(removal)
    shutil.rmtree(removal)
    return metrics


def _write_figures(
    run: Path,
    sets: dict[str, Feed],
    probabilities: dict[str, NDArray[np.float32]],
    classes: Sequence[str],
    threshold: float | None,
) -> None:
    split = "test" if "test" in sets else "validation"
    predicted = decide(probabilities[split], threshold)
    counts = confusion(sets[split].labels, predicted, len(classes))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    write_csv(run / "confusion.csv", ("true", *classes), _with_names(classes, counts.tolist()))
    write_csv(
        run / "confusion_normalised.csv", ("true", *classes), _with_names(classes, shares.round(6).tolist())
    )
    plot_confusion(run / "confusion.png", counts, classes, split)
    curves = {name: (feed.labels, probabilities[name]) for name, feed in sets.items()}
    plot_roc(run / "roc.png", curves, classes, threshold)
    examples: list[Example] = [example for feed in sets.values() for example in feed.examples]
    rows = np.concatenate(list(probabilities.values()))
    write_predictions(run / PREDICTIONS, examples, classes, decide(rows, threshold), rows)


def _with_names(classes: Sequence[str], table: list[list[Any]]) -> list[list[Any]]:
    return [[name, *row] for name, row in zip(classes, table, strict=True)]


def _missed(dropped: Sequence[Dropped], split: str) -> int:
    return sum(each.is_missed and each.split == split for each in dropped)


def _as_float32(model: Any, options: TrainOptions) -> Any:
    """Convert a mixed-precision model to float32, for ONNX and CPUs."""
    if not options.mixed_precision:
        return model
    converted = new_model(options, model.output_shape[-1])
    take_weights(converted, model.get_weights())
    return converted


def _save_model(path: Path, model: Any, spec: ModelSpec) -> None:
    unfinished = path.with_name(f".unfinished-{path.name}")
    model.save(unfinished, include_optimizer=False)
    embed_spec(unfinished, spec)
    unfinished.replace(path)
