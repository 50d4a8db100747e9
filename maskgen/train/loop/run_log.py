"""The lines of a training's log on stderr, also where stderr is no terminal."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tqdm import tqdm

from maskgen.keras_runtime import keras_versions
from maskgen.process import usable_cores
from maskgen.records import SPLITS
from maskgen.train.loop.checkpoint import Epoch, Progress
from maskgen.train.options import Phase, TrainOptions

if TYPE_CHECKING:
    from maskgen.train.data.feed import Feed


def say(line: str, progress: bool) -> None:
    """Print a line between the progress bars; nothing if there is to be no progress."""
    if progress:
        tqdm.write(line, file=sys.stderr)
        sys.stderr.flush()


def start_line(options: TrainOptions, counts: Mapping[str, Mapping[str, int]]) -> str:
    """What is trained on what; `counts` are split -> class -> number of images."""
    sets = "; ".join(
        f"{split} {sum(counts[split].values()):,} "
        f"({', '.join(f'{name} {count:,}' for name, count in counts[split].items())})"
        for split in SPLITS
        if split in counts
    )
    phases = ", then ".join(f"{phase.name} up to {phase.epochs} epochs" for phase in options.phases)
    software = ", ".join(f"{name} {version}" for name, version in keras_versions().items())
    return (
        f"{sets}. {options.backbone} at {options.input_size} px, weights {options.weights}: {phases}. "
        f"{software}; {usable_cores()} cores"
    )


def epoch_line(phase: Phase, state: Progress, epoch: Epoch) -> str:
    """The figures of the last epoch."""
    own = [each for each in state.history if each["phase"] == phase.name]
    left = (phase.epochs - len(own)) * sum(float(each["seconds"]) for each in own) / len(own)
    best = state.best
    return (
        f"{phase.name} {epoch['epoch']}/{phase.epochs}: rate {epoch['learning_rate']:.1e}, "
        f"loss {epoch['loss']:.3f}, val_loss {epoch['val_loss']:.3f}, "
        f"val_accuracy {epoch['val_accuracy']:.2%}, val_auc {epoch['val_auc']:.4f}; "
        f"best {best['phase']} {best['epoch']}; {epoch['seconds']:.0f} s, "
        f"at most {_duration(left)} left of {phase.name}"
    )


def phase_line(phase: Phase, state: Progress, patience: int) -> str:
    """Why a phase ended."""
    waits = state.waits(phase.name)
    reason = (
        f"all {phase.epochs} epochs are done"
        if len(waits) >= phase.epochs
        else f"no better {state.monitor} in {patience} epochs"
    )
    best = state.best
    return (
        f"{phase.name} ends: {reason}; best so far {state.monitor} {best[state.monitor]:.4f} "
        f"after {best['phase']} {best['epoch']}"
    )


def speed_line(state: Progress, feed: "Feed") -> str:
    """Images a second of the last phase, and where its time went."""
    last = [each for each in state.history if each["phase"] == state.history[-1]["phase"]]
    total, waiting, validating = (
        sum(float(each[name]) for each in last) for name in ("seconds", "feed_seconds", "validation_seconds")
    )
    images = len(last) * feed.steps * feed.batch_size
    return (
        f"{last[0]['phase']}: {images / max(total - validating, 1e-9):,.0f} images a second; "
        f"of {_duration(total)}, {waiting / total:.0%} waiting for images, "
        f"{validating / total:.0%} validation, {1 - (waiting + validating) / total:.0%} steps"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
