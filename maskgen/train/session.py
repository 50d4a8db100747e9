"""A whole training run, resumable: of one model or, for cross-validation, of a model for each fold.

::

    RUN/run.json      the options, and the list of folds
    RUN/fold-0/ ...   a run for each fold: tested on this fold, trained on the others
    RUN/folds.json    mean and standard deviation of the accuracy, after the last fold
"""

import json
import shutil
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskgen.errors import ModelError, UsageError
from maskgen.keras_runtime import backend, require, seed_everything, use_devices
from maskgen.train.data.decoded import Decoded
from maskgen.train.data.examples import listed, reasons, tally
from maskgen.train.data.feed import Feed
from maskgen.train.data.fresh_masks import FreshMasks
from maskgen.train.data.gather import Gathered, gather
from maskgen.train.data.leaks import refuse_leaks, without_leaks
from maskgen.train.data.splits import assign_splits, folds_of, place_missed
from maskgen.train.finalize import BEST, LAST, METRICS, finalize
from maskgen.train.loop.checkpoint import CHECKPOINT, HISTORY, STATE, Progress, read_history, write_progress
from maskgen.train.loop.fit import fit
from maskgen.train.loop.run_log import say, speed_line, start_line
from maskgen.train.model.weights.imagenet import check_weights_exist
from maskgen.train.options import TrainOptions
from maskgen.train.plots import write_preview
from maskgen.train.run_folder import (
    DROPPED,
    EXAMPLES,
    RECORD,
    add_phase,
    open_run,
    read_dropped,
    read_examples,
    read_record,
    write_dropped,
    write_examples,
    write_json,
    write_record,
)
from maskgen.train.spec import LONGEST_TEXT, MOST_CLASSES, is_name

PREVIEW, FOLDS = "preview.png", "folds.json"
PACKAGES = ("matplotlib", "sklearn")

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
    """Run `maskgen train` in the folder `run`; with `folds`, train a model for each fold of the data.

    Yields the folder of each model, and the figures of its ``metrics.json``. `command` is for the record,
    `overwrite` replaces an old run, and `preview` writes a grid of augmented images.
    """
    backend()
    require(*PACKAGES)
    check_weights_exist(options.backbone, options.weights)
    open_run(run, overwrite)
    if folds:
        # `resume_run` reads these paths again, perhaps from another working folder.
        options = replace(options, data=tuple(str(Path(each).absolute()) for each in options.data))
    gathered = gather([Path(folder) for folder in options.data], options.wanted, progress=progress)
    if not folds:
        yield run, _train(gathered, run, options, command, preview, progress)
        return
    numbers = folds_of(gathered.examples)
    if not numbers:
        raise UsageError("the data have no folds; Adience has some")
    # Results of an earlier run would look like results of this one.
    for old in (*run.glob(f"fold-*/{METRICS}"), *run.glob(f"fold-*/{RECORD}"), run / FOLDS):
        old.unlink(missing_ok=True)
    write_record(run, command, options, (), {}, numbers)
    try:
        yield from resume_run(run, gathered, preview, progress=progress)
    except (ModelError, UsageError):
        if not any(run.glob("fold-*")):
            _forget_run(run)
        raise


def resume_run(
    run: Path, gathered: Gathered | None = None, preview: bool = False, *, progress: bool = True
) -> Iterator[tuple[Path, Figures]]:
    """Resume a killed run. One with folds keeps the completed ones, resumes one and trains the others.

    Yields the folder and the figures of each model, including those of completed folds. `gathered` are the
    data of a run with folds, if they were read already; `preview` is for each fold that is trained.
    """
    backend()
    require(*PACKAGES)
    options, command, folds = read_record(run)
    if not folds:
        if _is_done(run):
            raise UsageError(f"{run} is done; --epochs N trains N more")
        yield run, _resume(run, progress)
        return
    if (run / FOLDS).is_file():
        raise UsageError(f"{run} is done: all {len(folds)} folds; {FOLDS} has the figures")
    results: dict[str, Figures] = {}
    for fold in folds:
        folder = run / f"fold-{fold}"
        if _is_done(folder):
            figures = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        elif (folder / RECORD).is_file():
            figures = _resume(folder, progress)
        else:
            gathered = gathered or gather([*map(Path, options.data)], options.wanted, progress=progress)
            own = replace(options, split=replace(options.split, fold=fold))
            figures = _train(gathered, folder, own, command, preview, progress)
        results[folder.name] = figures
        yield folder, figures
    accuracies = [figures["test"]["accuracy"] for figures in results.values()]
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    summary = {"accuracy": statistics.mean(accuracies), "standard_deviation": deviation, "folds": results}
    write_json(run / FOLDS, summary)


def extend_run(run: Path, epochs: int) -> None:
    """Add a phase of so many epochs to a run of one model, done or not: `resume_run` then trains it.

    It begins with the best model so far.
    """
    options, _, folds = read_record(run)
    if not epochs:
        raise UsageError("--resume RUN --epochs N adds N epochs: N must be at least 1")
    if folds:
        raise UsageError(f"{run} has folds, and is not extended; give more --epochs to a new run")
    if _is_done(run):
        if options.mixed_precision:
            raise UsageError(f"{run} is of mixed precision; train further from it with --weights {run}")
        state, folder = Progress(options.monitor, read_history(run / HISTORY)), run / CHECKPOINT
        folder.mkdir()
        shutil.copyfile(run / BEST, folder / str(state.best_file))
        write_progress(folder, state)
    add_phase(run, epochs)


def _is_done(run: Path) -> bool:
    return (run / METRICS).is_file() and not (run / CHECKPOINT).is_dir()


def _resume(run: Path, progress: bool) -> Figures:
    """Resume the run of one model with its recorded examples and options."""
    divided = Gathered(read_examples(run / EXAMPLES), read_dropped(run / DROPPED))
    return _fit_and_finalize(run, read_record(run).options, divided, progress)


def _train(
    gathered: Gathered, run: Path, options: TrainOptions, command: str, preview: bool, progress: bool
) -> Figures:
    """Train a model on gathered data, in a folder that belongs to the run; returns its metrics."""
    run.mkdir(parents=True, exist_ok=True)
    if options.wanted.which == "auto":
        found = {example.masked for example in gathered.examples}
        which = "both" if {True, False} <= found else "masked"
        options = replace(options, wanted=replace(options.wanted, which=which))
    divided = _divide(options, gathered)
    refuse_leaks(divided.examples)
    shutil.rmtree(run / CHECKPOINT, ignore_errors=True)
    for name in (BEST, LAST, METRICS):
        (run / name).unlink(missing_ok=True)
    write_examples(run / EXAMPLES, divided.examples)
    write_dropped(run / DROPPED, divided.dropped)
    counts = {"counts": tally(divided.examples), "dropped": reasons(divided.dropped)}
    write_record(run, command, options, divided.classes, counts)
    if preview:
        feed = Feed(divided.of("train"), divided.classes, options.input_size, options.batch_size)
        write_preview(run / PREVIEW, feed, options.seed, options.augmentation)
    try:
        return _fit_and_finalize(run, options, divided, progress)
    except (ModelError, UsageError):
        # For example, weights of another backbone: without a checkpoint there is nothing to resume.
        if not (run / CHECKPOINT / STATE).is_file():
            _forget_run(run)
        raise


def _divide(options: TrainOptions, gathered: Gathered) -> Gathered:
    """Assign the splits to the data of a run; drop leaks if the options say so."""
    examples, outside = assign_splits(gathered.examples, options.split)
    dropped = [*place_missed(gathered.dropped, gathered.examples, examples, options.split)]
    classes = Gathered(examples, ()).classes
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise UsageError(
            f"two classes are needed and at most {MOST_CLASSES}; the training split has {len(classes)}: "
            f"{', '.join(classes[:5])}. Choose the column of the classes with --label"
        )
    if bad := [name for name in (*classes, options.wanted.label or "") if not is_name(name)]:
        raise UsageError(
            f"the class or column {bad[0][:50]!r} cannot be named in a model: it has characters that do not "
            f"print, or more than {LONGEST_TEXT}: rename it in the data"
        )
    kept = [each for each in examples if each.label in classes]
    if options.mask_on_the_fly:
        fixed = [each for each in kept if each.split == "train" and each.masked]
        kept = [each for each in kept if each.split != "train" or not each.masked]
        dropped += [each.dropped("masked anew while training") for each in fixed]
    untrained = [each for each in examples if each.label not in classes]
    dropped += [*(each.dropped("class not trained", each.label) for each in untrained), *outside]
    if options.drop_leaks:
        kept, leaking = without_leaks(kept)
        dropped += leaking
    divided = Gathered(kept, dropped)
    lacking = [f"class {name} in train" for name in classes if name not in divided.classes]
    if not divided.of("validation"):
        lacking.append("validation")
    if lacking:
        raise UsageError(f"no example is left for {lacking[0]}; dropped: {listed(reasons(dropped))}")
    return divided


def _forget_run(run: Path) -> None:
    """Delete the files of a run that failed before its first epoch: its folder can be used again."""
    for name in (RECORD, EXAMPLES, DROPPED, PREVIEW, HISTORY):
        (run / name).unlink(missing_ok=True)
    for folder in (run / CHECKPOINT, run):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _fit_and_finalize(run: Path, options: TrainOptions, divided: Gathered, progress: bool) -> Figures:
    if options.devices > 1:
        use_devices(options.devices)
    seed_everything(options.seed, options.deterministic)
    classes, size = divided.classes, options.input_size
    examples = divided.of("train")
    weights = None
    if options.class_weights:
        # Each class has the same total in the loss; the mean over the examples is 1.
        counts = Counter(example.label for example in examples)
        weights = {name: len(examples) / (len(classes) * counts[name]) for name in classes}
    masks = None
    if options.mask_on_the_fly and options.landmarks is not None:
        masks = FreshMasks(options.mask_on_the_fly, Path(options.landmarks), options.seed)
    say(start_line(options, tally(divided.examples)), progress)

    def feed(split: str, **settings: Any) -> Feed:
        own = divided.of(split)
        path = run / CHECKPOINT / f"decoded-{split}.npy" if options.cache == "disk" else None
        decoded = Decoded(len(own), size, path) if options.cache != "none" and split != "test" else None
        return Feed(own, classes, size, options.batch_size, decoded=decoded, **settings)

    (run / CHECKPOINT).mkdir(exist_ok=True)
    training, sets = feed("train", weights=weights, masks=masks), {"validation": feed("validation")}
    state = fit(run, options, training, sets["validation"], classes, progress=progress)
    say(speed_line(state, training), progress)
    if divided.of("test"):
        sets["test"] = feed("test")
    return finalize(run, options, classes, divided.dropped, sets, state, images=not options.no_images)
