"""A whole training run: gather, divide, check for leaks, fit, judge, and write it all down."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskgen.errors import ModelError, UsageError
from maskgen.keras_runtime import require, seed_everything
from maskgen.train.checkpoint import STATE, Progress
from maskgen.train.data.dropped_splits import place_missed
from maskgen.train.data.examples import Dropped, Example, reasons
from maskgen.train.data.feed import Feed
from maskgen.train.data.gather import Gathered, gather
from maskgen.train.data.leaks import refuse_leaks, without_leaks
from maskgen.train.data.splits import assign_splits
from maskgen.train.finalize import BEST, LAST, METRICS, finalize
from maskgen.train.fit import CHECKPOINT, HISTORY, fit
from maskgen.train.options import TrainOptions
from maskgen.train.preview import write_preview
from maskgen.train.run_folder import (
    DROPPED,
    EXAMPLES,
    RECORD,
    open_run,
    read_dropped,
    read_examples,
    read_record,
    write_record,
)
from maskgen.train.spec import LONGEST_TEXT, MOST_CLASSES, is_name

PREVIEW = "preview.png"


@dataclass(frozen=True)
class Divided:
    """The data of a run, ready to train on."""

    examples: tuple[Example, ...]
    dropped: tuple[Dropped, ...]
    classes: tuple[str, ...]

    def of(self, split: str) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.examples if example.split == split]


def divide(options: TrainOptions, gathered: Gathered | None = None, *, progress: bool = True) -> Divided:
    """Gather a run's data and give every example its split; leaks are left out where the options say so.

    Args:
        options: The run's.
        gathered: Its data, where they have been gathered before.
        progress: Show a bar on stderr.

    Raises:
        MaskgenError: There is nothing to train or to validate on, not two classes of it, or a class that
            no model can name.
    """
    gathered = gathered or gather(
        [Path(folder) for folder in options.data], options.wanted, progress=progress
    )
    examples, outside = assign_splits(gathered.examples, options.split)
    dropped = list(place_missed(gathered.dropped, gathered.examples, examples, options.split))
    classes = sorted({example.label for example in examples if example.split == "train"})
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise UsageError(
            f"two classes are needed and at most {MOST_CLASSES}, the training split has {len(classes)}: "
            f"{', '.join(classes[:5])}; --label says which column is the class"
        )
    if bad := [name for name in (*classes, options.wanted.label or "") if not is_name(name)]:
        raise UsageError(
            f"the class or column {bad[0][:50]!r} cannot be named in a model: it has characters that do not "
            f"print, or more than {LONGEST_TEXT}: rename it in the data"
        )
    strange = [example for example in examples if example.label not in classes]
    dropped += [each.dropped("class not trained", each.label) for each in strange]
    kept = tuple(example for example in examples if example.label in classes)
    divided = Divided(kept, (*dropped, *outside), tuple(classes))
    if options.drop_leaks:
        found, leaking = without_leaks(divided.examples)
        divided = replace(divided, examples=tuple(found), dropped=(*divided.dropped, *leaking))
    _check_filled(divided)
    return divided


def _check_filled(divided: Divided) -> None:
    """See that every class can be learnt, and that there is something to validate on."""
    left = {example.label for example in divided.of("train")}
    lost = [name for name in divided.classes if name not in left]
    lacking = f"class {lost[0]} in train" if lost else "" if divided.of("validation") else "validation"
    if lacking:
        listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons(divided.dropped).items())
        raise UsageError(f"no example is left for {lacking}: what takes no part is {listed}")


def train(
    run: Path,
    options: TrainOptions,
    *,
    command: str = "maskgen train",
    overwrite: bool = False,
    preview: bool = False,
    progress: bool = True,
    after_epoch: Callable[[Progress], None] | None = None,
    gathered: Gathered | None = None,
    begun: bool = False,
) -> dict[str, Any]:
    """Run `maskgen train`.

    Args:
        run: The run folder; new, or an old run's where `overwrite`.
        options: What to train, on what, and how.
        command: What the record says was typed.
        overwrite: Start anew in a folder that holds a run.
        preview: Write a grid of augmented images before the training.
        progress: Show bars on stderr.
        after_epoch: As for `maskgen.train.fit.fit`.
        gathered: The data, where they have been gathered before.
        begun: The folder is known to be this run's, whatever is in it.

    Returns:
        The figures of ``metrics.json``.

    Raises:
        LeakError: Something is on both sides of the split.
        MaskgenError: Data, options or an extra are missing or do not go together.
    """
    require("tensorflow", "matplotlib")
    if begun:
        run.mkdir(parents=True, exist_ok=True)
    else:
        open_run(run, overwrite)
    divided = divide(options, gathered, progress=progress)
    refuse_leaks(divided.examples)
    shutil.rmtree(run / CHECKPOINT, ignore_errors=True)
    for name in (BEST, LAST, METRICS):
        (run / name).unlink(missing_ok=True)
    write_record(run, command, options, divided.classes, divided.examples, divided.dropped)
    if preview:
        feed = Feed(divided.of("train"), divided.classes, options.input_size, options.batch_size)
        write_preview(run / PREVIEW, feed, options.seed, options.augmentation)
    try:
        return _fit_and_judge(run, options, divided, progress, after_epoch)
    except (ModelError, UsageError):
        # Such as weights that do not fit: there is nothing to go on with, only to begin otherwise.
        if not (run / CHECKPOINT / STATE).is_file():
            forget_run(run)
        raise


def resume(
    run: Path, *, progress: bool = True, after_epoch: Callable[[Progress], None] | None = None
) -> dict[str, Any]:
    """Go on with a run that was killed, with the examples and options it began with.

    Raises:
        MissingDataError: The folder holds no run.
        UsageError: The run is done.
    """
    require("tensorflow", "matplotlib")
    options, classes, _ = read_record(run)
    if (run / METRICS).is_file() and not (run / CHECKPOINT).is_dir():
        raise UsageError(f"{run} is done; train further from its model by --weights {run / BEST}")
    divided = Divided(tuple(read_examples(run / EXAMPLES)), tuple(read_dropped(run / DROPPED)), classes)
    return _fit_and_judge(run, options, divided, progress, after_epoch)


def forget_run(run: Path) -> None:
    """Take away what a run wrote that ended before its first epoch, so that its folder is free again."""
    for name in (RECORD, EXAMPLES, DROPPED, PREVIEW, HISTORY):
        (run / name).unlink(missing_ok=True)
    for folder in (run / CHECKPOINT, run):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def class_weights(examples: Sequence[Example], classes: Sequence[str]) -> dict[str, float]:
    """Weights that give every class the same say in the loss, and that are 1 on average over the examples."""
    counts = {name: sum(example.label == name for example in examples) for name in classes}
    return {name: len(examples) / (len(classes) * counts[name]) for name in classes}


def _fit_and_judge(
    run: Path,
    options: TrainOptions,
    divided: Divided,
    progress: bool,
    after_epoch: Callable[[Progress], None] | None,
) -> dict[str, Any]:
    seed_everything(options.seed, options.deterministic)
    classes, size, batch = divided.classes, options.input_size, options.batch_size
    learnt = divided.of("train")
    weights = class_weights(learnt, classes) if options.class_weights else None
    training = Feed(learnt, classes, size, batch, weights, options.cache)
    validation = Feed(divided.of("validation"), classes, size, batch, cache=options.cache)
    state = fit(run, options, training, validation, len(classes), progress=progress, after_epoch=after_epoch)
    test = Feed(divided.of("test"), classes, size, batch) if divided.of("test") else None
    return finalize(run, options, classes, divided.dropped, validation, test, state)
