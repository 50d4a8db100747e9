"""Finish a training run: calibrated models, figures, plots, model card and page."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.train.card import model_card
from maskgen.train.data.examples import Dropped, reasons
from maskgen.train.data.feed import Feed
from maskgen.train.judge import Judged
from maskgen.train.judging.bootstrap import Resampling, Units
from maskgen.train.judging.calibration import Fitted, fit_calibration
from maskgen.train.judging.figures import figures
from maskgen.train.loop.checkpoint import CHECKPOINT, Progress
from maskgen.train.loop.epoch import predict
from maskgen.train.loop.fit import new_model
from maskgen.train.metrics import expected_calibration_error, reliability
from maskgen.train.model.build import take_weights
from maskgen.train.model.load import load_model
from maskgen.train.options import TrainOptions
from maskgen.train.plots import plot_confusion, plot_curves, plot_reliability, plot_roc
from maskgen.train.report.run_page import write_report
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
    images: bool = True,
) -> dict[str, Any]:
    """Calibrate and evaluate the best model, and write the final files of the run folder.

    Returns the content of ``metrics.json``. `sets` are "validation" and perhaps "test", which is used only
    here: no choice depends on it. The page shows the worst errors as images, unless `images` is false.
    """
    folder = run / CHECKPOINT
    models = {
        BEST: _load_float32(folder / str(state.best_file), options, classes),
        LAST: _load_float32(folder / state.last_file, options, classes),
    }
    validation = sets["validation"]
    before = {name: predict(models[BEST], feed.in_order()) for name, feed in sets.items()}
    last = predict(models[LAST], validation.in_order())
    resampling = Resampling(Units.of_examples(validation.examples))
    fitted = {
        BEST: fit_calibration(validation.labels, before["validation"], resampling),
        LAST: fit_calibration(validation.labels, last, resampling),
    }
    wanted = options.wanted
    spec = ModelSpec(
        classes, options.input_size, wanted.crop, wanted.margin, None, wanted.label, options.backbone
    )
    for name, model in models.items():
        fitted[name].calibration.write_into(model)
        unfinished = run / f".unfinished-{name}"
        model.save(unfinished, include_optimizer=False)
        embed_spec(unfinished, spec)
        unfinished.replace(run / name)
    after = {name: fitted[BEST].calibration.probabilities(own) for name, own in before.items()}
    judged = {
        name: Judged(
            *(run.name, spec, name, feed.examples, feed.labels, after[name]),
            [each for each in dropped if each.split == name],
        )
        for name, feed in sets.items()
    }
    metrics: dict[str, Any] = {
        "best": {"monitor": options.monitor, "value": state.best[options.monitor]},
        "epochs": len(state.history),
        "calibration": _calibration_figures(fitted, sets, before, after),
        **{name: figures(own, ()) for name, own in judged.items()},
        "dropped": reasons(dropped),
    }
    _write_files(run, options, judged, metrics, state)
    reported = "test" if "test" in sets else "validation"
    write_report(run, options, spec, metrics, judged[reported], images)
    # The last step: before it, the run can be resumed. The folder is renamed first, because a partly removed
    # checkpoint would look like a new run.
    removal = run / f".{CHECKPOINT}"
    shutil.rmtree(removal, ignore_errors=True)
    folder.rename(removal)
    shutil.rmtree(removal)
    return metrics


def _write_files(
    run: Path,
    options: TrainOptions,
    judged: Mapping[str, Judged],
    metrics: Mapping[str, Any],
    state: Progress,
) -> None:
    """Write predictions, figures, plots and the model card."""
    reported = judged["test" if "test" in judged else "validation"]
    spec, classes = reported.spec, reported.spec.classes
    examples = [example for each in judged.values() for example in each.examples]
    probabilities = np.concatenate([each.probabilities for each in judged.values()])
    write_predictions(run / "predictions.csv", examples, spec, probabilities)
    curves = {name: (each.labels, each.probabilities) for name, each in judged.items()}
    plot_roc(run / "roc.png", curves, classes)
    plot_reliability(run / "reliability.png", {name: metrics[name]["reliability"] for name in judged})
    confusion = np.array(metrics[reported.of]["confusion"])
    shares = (confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)).round(6)
    for name, table in (("confusion.csv", confusion), ("confusion_normalised.csv", shares)):
        rows = [[own, *row] for own, row in zip(classes, table.tolist(), strict=True)]
        write_csv(run / name, ("true", *classes), rows)
    plot_confusion(run / "confusion.png", confusion, classes, reported.of)
    write_json(run / "labels.json", {name: place for place, name in enumerate(classes)})
    plot_curves(run / "curves.png", state.history)
    write_json(run / METRICS, metrics)
    card = model_card(options, spec, metrics, read_record(run).command)
    (run / "README.md").write_text(card, encoding="utf-8")


def _calibration_figures(
    fitted: Mapping[str, Fitted],
    sets: Mapping[str, Feed],
    before: Mapping[str, NDArray[np.float32]],
    after: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """The calibration in ``metrics.json``; thresholds are those of the models before it."""
    result: dict[str, Any] = {
        name: {
            "threshold": each.calibration.threshold if each.threshold_interval else None,
            "threshold_interval": each.threshold_interval,
            "temperature": each.calibration.temperature,
        }
        for name, each in fitted.items()
    }
    for when, probabilities in (("before", before), ("after", after)):
        result[f"ece_{when}"] = {
            name: expected_calibration_error(reliability(feed.labels, probabilities[name]))
            for name, feed in sets.items()
        }
    return result


def _load_float32(path: Path, options: TrainOptions, classes: Sequence[str]) -> Any:
    """Load a model; one of mixed precision is converted to float32, for ONNX and CPUs."""
    model = load_model(path)
    if not options.mixed_precision:
        return model
    converted = new_model(options, classes)
    take_weights(converted, model.get_weights())
    return converted
