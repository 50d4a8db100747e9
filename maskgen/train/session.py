"""A whole training run: gather, split, check for leaks, fit, evaluate and write the results."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskgen.errors import ModelError, UsageError
from maskgen.keras_runtime import require, seed_everything
from maskgen.train.checkpoint import STATE
from maskgen.train.data.dropped_splits import place_missed
from maskgen.train.data.examples import Dropped, Example, reasons, tally
from maskgen.train.data.feed import Feed
from maskgen.train.data.gather import Gathered, gather
from maskgen.train.data.leaks import refuse_leaks, without_leaks
from maskgen.train.data.splits import assign_splits
from maskgen.train.finalize import BEST, LAST, METRICS, finalize
from maskgen.train.fit import CHECKPOINT, HISTORY, fit
from maskgen.train.options import TrainOptions
from maskgen.train.plots import write_preview
from maskgen.train.run_folder import (
    DROPPED,
    EXAMPLES,
    RECORD,
    open_run,
    read_dropped,
    read_examples,
    read_record,
    write_dropped,
    write_examples,
    write_record,
)
from maskgen.train.spec import LONGEST_TEXT, MOST_CLASSES, is_name

PREVIEW = "preview.png"
PACKAGES = ("tensorflow", "matplotlib", "sklearn")


@dataclass(frozen=True)
class Divided:
    """The data of a run with their splits."""

    examples: tuple[Example, ...]
    dropped: tuple[Dropped, ...]
    classes: tuple[str, ...]

    def of(self, split: str) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.examples if example.split == split]


def divide(options: TrainOptions, gathered: Gathered) -> Divided:
    """Assign the splits to the data of a run; drop leaks if the options say so.

    Raises:
        UsageError: The training or validation split is empty, the training has fewer than two classes, or a
            class has a name that no model can hold.
    """
    examples, outside = assign_splits(gathered.examples, options.split)
    dropped = list(place_missed(gathered.dropped, gathered.examples, examples, options.split))
    classes = sorted({example.label for example in examples if example.split == "train"})
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
    untrained = [example for example in examples if example.label not in classes]
    dropped += [each.dropped("class not trained", each.label) for each in untrained]
    kept = tuple(example for example in examples if example.label in classes)
    divided = Divided(kept, (*dropped, *outside), tuple(classes))
    if options.drop_leaks:
        clean, leaking = without_leaks(divided.examples)
        divided = replace(divided, examples=tuple(clean), dropped=(*divided.dropped, *leaking))
    trained = {example.label for example in divided.of("train")}
    lacking = [f"class {name} in train" for name in classes if name not in trained]
    if not divided.of("validation"):
        lacking.append("validation")
    if lacking:
        listing = ", ".join(f"{count:,} {reason}" for reason, count in reasons(divided.dropped).items())
        raise UsageError(f"no example is left for {lacking[0]}; dropped: {listing}")
    return divided


def train(
    run: Path,
    options: TrainOptions,
    command: str = "maskgen train",
    overwrite: bool = False,
    preview: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """Run `maskgen train`; returns the figures of ``metrics.json``.

    Args:
        run: The run folder.
        options: The options of the run.
        command: The command line, for the record.
        overwrite: Replace an old run in the folder.
        preview: Write a grid of augmented images before the training.
        progress: Show progress bars on stderr.

    Raises:
        LeakError: A person, source image or content is in two splits.
        MaskgenError: Data or an extra are missing, or options are invalid.
    """
    require(*PACKAGES)
    open_run(run, overwrite)
    gathered = gather([Path(folder) for folder in options.data], options.wanted, progress=progress)
    return train_on(gathered, run, options, command, preview, progress)


def train_on(
    gathered: Gathered, run: Path, options: TrainOptions, command: str, preview: bool, progress: bool
) -> dict[str, Any]:
    """Train on gathered data, as `train` does, in a folder that already belongs to the run."""
    run.mkdir(parents=True, exist_ok=True)
    divided = divide(options, gathered)
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
            forget_run(run)
        raise


def resume(run: Path, *, progress: bool = True) -> dict[str, Any]:
    """Resume a killed run with its recorded examples and options; a `UsageError` if it is complete."""
    record = read_record(run)
    if (run / METRICS).is_file() and not (run / CHECKPOINT).is_dir():
        raise UsageError(f"{run} is done; train further from its model with --weights {run / BEST}")
    examples, dropped = tuple(read_examples(run / EXAMPLES)), tuple(read_dropped(run / DROPPED))
    return _fit_and_finalize(run, record.options, Divided(examples, dropped, record.classes), progress)


def forget_run(run: Path) -> None:
    """Delete the files of a run that failed before its first epoch: its folder can be used again."""
    for name in (RECORD, EXAMPLES, DROPPED, PREVIEW, HISTORY):
        (run / name).unlink(missing_ok=True)
    for folder in (run / CHECKPOINT, run):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _fit_and_finalize(run: Path, options: TrainOptions, divided: Divided, progress: bool) -> dict[str, Any]:
    seed_everything(options.seed, options.deterministic)
    classes, size, batch = divided.classes, options.input_size, options.batch_size
    examples = divided.of("train")
    weights = None
    if options.class_weights:
        # Each class has the same total in the loss; the mean over the examples is 1.
        counts = Counter(example.label for example in examples)
        weights = {name: len(examples) / (len(classes) * counts[name]) for name in classes}
    training = Feed(examples, classes, size, batch, weights, options.cache)
    sets = {"validation": Feed(divided.of("validation"), classes, size, batch, cache=options.cache)}
    state = fit(run, options, training, sets["validation"], len(classes), progress=progress)
    if divided.of("test"):
        sets["test"] = Feed(divided.of("test"), classes, size, batch)
    return finalize(run, options, classes, divided.dropped, sets, state)
