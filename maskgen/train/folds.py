"""Cross-validation: one model for each fold of a dataset, as one resumable run.

::

    RUN/run.json      the options and the list of folds
    RUN/fold-0/ ...   a run for each fold: tested on this fold, trained on the others
    RUN/folds.json    mean and standard deviation of the accuracy, after the last fold
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskgen.errors import ModelError, UsageError
from maskgen.keras_runtime import require
from maskgen.train.data.gather import Gathered, gather
from maskgen.train.data.splits import folds_of
from maskgen.train.finalize import METRICS
from maskgen.train.fit import CHECKPOINT
from maskgen.train.options import TrainOptions
from maskgen.train.run_folder import RECORD, Record, open_run, read_record, write_json, write_record
from maskgen.train.session import PACKAGES, forget_run, resume, train, train_on

FOLDS = "folds.json"

Figures = dict[str, Any]


def train_run(
    run: Path,
    options: TrainOptions,
    folds: bool = False,
    command: str = "maskgen train",
    overwrite: bool = False,
    preview: bool = False,
    progress: bool = True,
) -> Iterator[tuple[Path, Figures]]:
    """Train a model, or one for each fold: see `maskgen.train.session.train`; yields folders and figures."""
    if not folds:
        yield run, train(run, options, command, overwrite, preview, progress)
        return
    require(*PACKAGES)
    open_run(run, overwrite)
    # `resume_run` reads these paths again, perhaps from another working folder.
    options = replace(options, data=tuple(str(Path(each).absolute()) for each in options.data))
    gathered = gather([Path(folder) for folder in options.data], options.wanted, progress=progress)
    numbers = folds_of(gathered.examples)
    if not numbers:
        raise UsageError("the data have no folds; Adience has some")
    for old in run.glob("fold-*"):
        # Results of an earlier run would look like results of this one.
        for name in (METRICS, RECORD):
            (old / name).unlink(missing_ok=True)
    (run / FOLDS).unlink(missing_ok=True)
    write_record(run, command, options, (), {}, numbers)
    try:
        yield from _train_each(run, Record(options, (), command, tuple(numbers)), gathered, preview, progress)
    except (ModelError, UsageError):
        if not any(run.glob("fold-*")):
            forget_run(run)
        raise


def resume_run(run: Path, *, progress: bool = True) -> Iterator[tuple[Path, Figures]]:
    """Resume a killed run. One with folds keeps the completed ones, resumes one and trains the others.

    Yields:
        The folder and the figures of each model, including those of completed folds.
    """
    require(*PACKAGES)
    record = read_record(run)
    if not record.folds:
        yield run, resume(run, progress=progress)
    elif (run / FOLDS).is_file():
        raise UsageError(f"{run} is done: all {len(record.folds)} folds; {FOLDS} has the figures")
    else:
        yield from _train_each(run, record, None, False, progress)


def _train_each(
    run: Path, record: Record, gathered: Gathered | None, preview: bool, progress: bool
) -> Iterator[tuple[Path, Figures]]:
    options, command = record.options, record.command
    results: dict[str, Figures] = {}
    for fold in record.folds:
        folder = run / f"fold-{fold}"
        if (folder / METRICS).is_file() and not (folder / CHECKPOINT).is_dir():
            figures = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        elif (folder / RECORD).is_file():
            figures = resume(folder, progress=progress)
        else:
            data = [Path(each) for each in options.data]
            gathered = gathered or gather(data, options.wanted, progress=progress)
            own = replace(options, split=replace(options.split, fold=fold))
            figures = train_on(gathered, folder, own, command, preview, progress)
        results[folder.name] = figures
        yield folder, figures
    accuracies = [figures["test"]["accuracy"] for figures in results.values()]
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    summary = {"accuracy": statistics.mean(accuracies), "standard_deviation": deviation, "folds": results}
    write_json(run / FOLDS, summary)
