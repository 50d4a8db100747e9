"""A model for each fold of a dataset, as one run that can be killed anywhere and taken up again as a whole.

::

    RUN/run.json      what was asked for, and which folds there are
    RUN/fold-0/ ...   a run of its own for each: tested on that fold, trained on the others
    RUN/folds.json    the mean and the standard deviation over them, when all are done
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
    """Train a model for each fold of a dataset; the arguments are those of `maskgen.train.session.train`.

    Yields:
        The folder's name and the figures of each fold.

    Raises:
        UsageError: The data come in no folds, or the folder holds a run.
    """
    require("tensorflow", "matplotlib")
    open_run(run, overwrite)
    # They may be read again by `resume_folds`, which may be called from elsewhere.
    options = replace(options, data=tuple(str(Path(each).absolute()) for each in options.data))
    gathered = gather([Path(folder) for folder in options.data], options.wanted, progress=progress)
    folds = folds_of(gathered.examples)
    if not folds:
        raise UsageError("the data have no folds; Adience has some")
    for old in run.glob("fold-*"):
        # What an earlier run left would otherwise be taken for this one's.
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
    how = {"preview": preview, "progress": progress, "after_epoch": after_epoch}
    try:
        yield from _each(run, options, command, folds, gathered, how)
    except (ModelError, UsageError):
        if not any(run.glob("fold-*")):
            forget_run(run)
        raise


def resume_folds(
    run: Path, *, progress: bool = True, after_epoch: Callable[[Progress], None] | None = None
) -> Iterator[tuple[str, Figures]]:
    """Go on with a run of folds: what is done stays, the fold it was killed in goes on, the others follow.

    Yields:
        The folder's name and the figures of each fold, those that were done included.

    Raises:
        UsageError: The run is done.
    """
    require("tensorflow", "matplotlib")
    folds = folds_of_run(run)
    options, _, command = read_record(run)
    if (run / FOLDS).is_file():
        raise UsageError(f"{run} is done: all {len(folds)} folds; {FOLDS} has the figures")
    how = {"preview": False, "progress": progress, "after_epoch": after_epoch}
    yield from _each(run, options, command, folds, None, how)


def folds_of_run(run: Path) -> tuple[int, ...]:
    """The folds a run folder is of; empty where it is that of a single model, or of none."""
    if not (run / RECORD).is_file():
        return ()
    try:
        return tuple(json.loads((run / RECORD).read_text(encoding="utf-8")).get("folds", ()))
    except (ValueError, AttributeError, TypeError) as error:
        raise ConfigurationError(f"{run / RECORD}: not the record of a run: {error}") from error


def _each(
    run: Path,
    options: TrainOptions,
    command: str,
    folds: Sequence[int],
    gathered: Gathered | None,
    how: Figures,
) -> Iterator[tuple[str, Figures]]:
    found: dict[str, Figures] = {}
    for fold in folds:
        folder = run / f"fold-{fold}"
        if (folder / METRICS).is_file() and not (folder / CHECKPOINT).is_dir():
            found[folder.name] = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        elif (folder / RECORD).is_file():
            found[folder.name] = resume(folder, progress=how["progress"], after_epoch=how["after_epoch"])
        else:
            data = [Path(each) for each in options.data]
            gathered = gathered or gather(data, options.wanted, progress=how["progress"])
            own = replace(options, split=replace(options.split, fold=fold))
            found[folder.name] = train(folder, own, command=command, gathered=gathered, begun=True, **how)
        yield folder.name, found[folder.name]
    accuracies = [figures["test"]["accuracy"] for figures in found.values()]
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    summary = {"accuracy": statistics.mean(accuracies), "standard_deviation": deviation, "folds": found}
    write_json(run / FOLDS, summary)
