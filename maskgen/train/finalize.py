"""Finish a training run: final models, decision threshold, figures, plots and model card."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.train.card import model_card
from maskgen.train.data.examples import Dropped, reasons
from maskgen.train.data.feed import Feed
from maskgen.train.loop.checkpoint import CHECKPOINT, Progress
from maskgen.train.loop.epoch import predict
from maskgen.train.loop.fit import new_model
from maskgen.train.metrics import choose_threshold, scores
from maskgen.train.model.build import take_weights
from maskgen.train.model.load import load_model
from maskgen.train.options import TrainOptions
from maskgen.train.plots import plot_confusion, plot_curves, plot_roc
from maskgen.train.run_folder import read_record, write_csv, write_json, write_predictions
from maskgen.train.spec import ModelSpec, embed_spec

BEST, LAST, METRICS = "best.keras", "last.keras", "metrics.json"


def finalize(
    run: Path,
    options: TrainOptions,
    classes: tuple[str, ...],
    dropped: Sequence[Dropped],
    sets: Mapping[str, Feed],
    state: Progress,
) -> dict[str, Any]:
    """Evaluate the best model, and write the final files of the run folder; returns its metrics.

    `sets` are "validation" and perhaps "test", which is used only here: no choice depends on it.
    """
    folder = run / CHECKPOINT
    models = {
        BEST: _load_float32(folder / str(state.best_file), options, classes),
        LAST: _load_float32(folder / state.last_file, options, classes),
    }
    outputs = {name: predict(models[BEST], feed.in_order()) for name, feed in sets.items()}
    threshold = choose_threshold(sets["validation"].labels, outputs["validation"])
    wanted = options.wanted
    spec = ModelSpec(
        classes, options.input_size, wanted.crop, wanted.margin, threshold, wanted.label, options.backbone
    )
    for name, model in models.items():
        unfinished = run / f".unfinished-{name}"
        model.save(unfinished, include_optimizer=False)
        embed_spec(unfinished, spec)
        unfinished.replace(run / name)
    metrics: dict[str, Any] = {
        "threshold": threshold,
        "best": {"monitor": options.monitor, "value": state.best[options.monitor]},
        "epochs": len(state.history),
    }
    for name, feed in sets.items():
        missed = sum(each.is_missed and each.split == name for each in dropped)
        metrics[name] = scores(feed.labels, outputs[name], classes, threshold, missed)
    metrics["dropped"] = reasons(dropped)
    examples = [example for feed in sets.values() for example in feed.examples]
    write_predictions(run / "predictions.csv", examples, spec, np.concatenate(list(outputs.values())))
    curves = {name: (feed.labels, outputs[name]) for name, feed in sets.items()}
    plot_roc(run / "roc.png", curves, classes, threshold)
    reported = "test" if "test" in sets else "validation"
    confusion = np.array(metrics[reported]["confusion"])
    shares = (confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)).round(6)
    for name, table in (("confusion.csv", confusion), ("confusion_normalised.csv", shares)):
        rows = [[own, *row] for own, row in zip(classes, table.tolist(), strict=True)]
        write_csv(run / name, ("true", *classes), rows)
    plot_confusion(run / "confusion.png", confusion, classes, reported)
    write_json(run / "labels.json", {name: place for place, name in enumerate(classes)})
    plot_curves(run / "curves.png", state.history)
    write_json(run / METRICS, metrics)
    card = model_card(options, spec, metrics, read_record(run).command)
    (run / "README.md").write_text(card, encoding="utf-8")
    # The last step: before it, the run can be resumed. The folder is renamed first, because a partly removed
    # checkpoint would look like a new run.
    removal = run / f".{CHECKPOINT}"
    shutil.rmtree(removal, ignore_errors=True)
    folder.rename(removal)
    shutil.rmtree(removal)
    return metrics


def _load_float32(path: Path, options: TrainOptions, classes: Sequence[str]) -> Any:
    """Load a model; one of mixed precision is converted to float32, for ONNX and CPUs."""
    model = load_model(path)
    if not options.mixed_precision:
        return model
    converted = new_model(options, classes)
    take_weights(converted, model.get_weights())
    return converted
