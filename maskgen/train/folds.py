"""Cross-validation: one model for each fold of a dataset, as one resumable run.

::

    RUN/run.json      the options and the list of folds
    RUN/fold-0/ ...   a run for each fold: tested on this fold, trained on the others
    RUN/folds.json    mean and standard deviation of the accuracy, after the last fold
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskgen.errors import ConfigurationError, ModelError, UsageError
from maskgen.keras_runtime import require
from maskgen.train.checkpoint import Progress
from maskgen.train.data.gather import Gathered, gather
from maskgen.train.data.splits import folds_of
from maskgen.train.finalize import METRICS
from maskgen.train.fit import CHECKPOINT
from maskgen.train.options import TrainOptions
from maskgen.train.run_folder import RECORD, open_run, read_record, recorded_options, run_versions, write_json
from maskgen.train.session import forget_run, resume, train

FOLDS = "folds.json"

Figures = dict[str, Any]


def train_folds(
    run: Path,
    options: TrainOptions,
    *,
    command: str = "maskgen train --folds",
    overwrite: bool = False,
    preview: bool = False,
    progress: bool = True,
    after_epoch: Callable[[Progress], None] | None = None,
) -> Iterator[tuple[str, Figures]]:
    """Train a model for each fold; the arguments are those of `maskgen.train.session.train`.

    Yields:
        The folder name and the figures of each fold.

    Raises:
        UsageError: The data have no folds, or the folder contains a run.
    """
    require("tensorflow", "matplotlib")
    open_run(run, overwrite)
    # `resume_folds` reads these paths again, perhaps from another working folder.
    options = replace(options, data=tuple(str(Path(each).absolute()) for each in options.data))
    gathered = gather([Path(folder) for folder in options.data], options.wanted, progress=progress)
    folds = folds_of(gathered.examples)
    if not folds:
        raise UsageError("the data have no folds; Adience has some")
    for old in run.glob("fold-*"):
        # Results of an earlier run would look like results of this one.
        for name in (METRICS, RECORD):
            (old / name).unlink(missing_ok=True)
    (run / FOLDS).unlink(missing_ok=True)
    record = {
        "schema": 1,
        "command": command,
        "options": recorded_options(run, options),
        "classes": [],
        "folds": folds,
    }
    write_json(run / RECORD, {**record, "versions": run_versions()})
    keywords = {"preview": preview, "progress": progress, "after_epoch": after_epoch}
    try:
        yield from _train_each(run, options, command, folds, gathered, keywords)
    except (ModelError, UsageError):
        if not any(run.glob("fold-*")):
            forget_run(run)
        raise


def resume_folds(
    run: Path, *, progress: bool = True, after_epoch: Callable[[Progress], None] | None = None
) -> Iterator[tuple[str, Figures]]:
    """Resume a killed run: keep the completed folds, resume the current one, train the others.

    Yields:
        The folder name and the figures of each fold, including the completed ones.

    Raises:
        UsageError: The run is complete.
    """
    require("tensorflow", "matplotlib")
    folds = folds_of_run(run)
    options, _, command = read_record(run)
    if (run / FOLDS).is_file():
        raise UsageError(f"{run} is done: all {len(folds)} folds; {FOLDS} has the figures")
    keywords = {"preview": False, "progress": progress, "after_epoch": after_epoch}
    yield from _train_each(run, options, command, folds, None, keywords)


def folds_of_run(run: Path) -> tuple[int, ...]:
    """The folds of a run folder; empty for the run of a single model, or for no run."""
    if not (run / RECORD).is_file():
        return ()
    try:
        return tuple(json.loads((run / RECORD).read_text(encoding="utf-8")).get("folds", ()))
    except (ValueError, AttributeError, TypeError) as error:
        raise ConfigurationError(f"{run / RECORD}: not the record of a run: {error}") from error


def _train_each(
    run: Path,
    options: TrainOptions,
    command: str,
    folds: Sequence[int],
    gathered: Gathered | None,
    keywords: dict[str, Any],
) -> Iterator[tuple[str, Figures]]:
    results: dict[str, Figures] = {}
    for fold in folds:
        folder = run / f"fold-{fold}"
        if (folder / METRICS).is_file() and not (folder / CHECKPOINT).is_dir():
            results[folder.name] = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        elif (folder / RECORD).is_file():
            results[folder.name] = resume(
                folder, progress=keywords["progress"], after_epoch=keywords["after_epoch"]
            )
        else:
            data = [Path(each) for each in options.data]
            gathered = gathered or gather(data, options.wanted, progress=keywords["progress"])
            own = replace(options, split=replace(options.split, fold=fold))
            results[folder.name] = train(
                folder, own, command=command, gathered=gathered, begun=True, **keywords
            )
        yield folder.name, results[folder.name]
    accuracies = [figures["test"]["accuracy"] for figures in results.values()]
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    summary = {"accuracy": statistics.mean(accuracies), "standard_deviation": deviation, "folds": results}
    write_json(run / FOLDS, summary)
