"""The end of a run: the models, the decision threshold, every figure and image, and the card."""

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
from maskgen.train.model.spec import ModelSpec, embed_spec
from maskgen.train.options import TrainOptions
from maskgen.train.plots import plot_confusion, plot_curves, plot_roc
from maskgen.train.run_folder import PREDICTIONS, read_record, write_csv, write_json, write_predictions

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
    """Judge the best model on validation and test, and write all that the run folder shall hold.

    The test is looked at once, here; nothing was chosen by it.

    Returns:
        The figures of ``metrics.json``.
    """
    folder = run / CHECKPOINT
    best = _plain_floats(load_model(folder / str(state.best_file)), options)
    sets = {"validation": validation} | ({"test": test} if test is not None else {})
    with reraise_read_errors(*sets.values()):
        found = {name: best.predict(feed.in_order(), verbose=0) for name, feed in sets.items()}
    threshold = choose_threshold(validation.labels, found["validation"])
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
    for name, model in ((BEST, best), (LAST, _plain_floats(last, options))):
        _save_model(run / name, model, spec)
    metrics = {
        "threshold": threshold,
        "best": {"monitor": options.monitor, "value": state.best},
        "epochs": len(state.history),
        **{
            name: scores(feed.labels, found[name], classes, threshold, _missed(dropped, name))
            for name, feed in sets.items()
        },
        "dropped": reasons(dropped),
    }
    _write_figures(run, sets, found, classes, threshold)
    write_json(run / "labels.json", {name: place for place, name in enumerate(classes)})
    write_history(run / HISTORY, state.history)
    plot_curves(run / "curves.png", state.history)
    write_json(run / METRICS, metrics)
    (run / "README.md").write_text(model_card(options, spec, metrics, read_record(run)[2]), encoding="utf-8")
    # The last step: until here, the same run can be taken up again. The name goes first: a folder half
    # removed would be taken for a run that has just begun.
    gone = run / f".{CHECKPOINT}"
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)
    shutil.rmtree(gone)
    return metrics


def _write_figures(
    run: Path,
    sets: dict[str, Feed],
    found: dict[str, NDArray[np.float32]],
    classes: Sequence[str],
    threshold: float | None,
) -> None:
    judged = "test" if "test" in sets else "validation"
    labels = sets[judged].labels
    counts = confusion(labels, decide(found[judged], threshold), len(classes))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    write_csv(run / "confusion.csv", ("true", *classes), _named(classes, counts.tolist()))
    write_csv(run / "confusion_normalised.csv", ("true", *classes), _named(classes, shares.round(6).tolist()))
    plot_confusion(run / "confusion.png", counts, classes, judged)
    curves = {name: (feed.labels, found[name]) for name, feed in sets.items()}
    plot_roc(run / "roc.png", curves, classes, threshold)
    examples: list[Example] = [example for feed in sets.values() for example in feed.examples]
    probabilities = np.concatenate(list(found.values()))
    write_predictions(run / PREDICTIONS, examples, classes, decide(probabilities, threshold), probabilities)


def _named(classes: Sequence[str], table: list[list[Any]]) -> list[list[Any]]:
    return [[name, *row] for name, row in zip(classes, table, strict=True)]


def _missed(dropped: Sequence[Dropped], split: str) -> int:
    return sum(each.is_missed and each.split == split for each in dropped)


def _plain_floats(model: Any, options: TrainOptions) -> Any:
    """The same model computing in float32, as ONNX and CPUs want it."""
    if not options.mixed_precision:
        return model
    plain = new_model(options, model.output_shape[-1])
    take_weights(plain, model.get_weights())
    return plain


def _save_model(path: Path, model: Any, spec: ModelSpec) -> None:
    unfinished = path.with_name(f".unfinished-{path.name}")
    model.save(unfinished, include_optimizer=False)
    embed_spec(unfinished, spec)
    unfinished.replace(path)
