"""Options of a training run: one frozen record, stored in the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maskgen.errors import UsageError
from maskgen.train.data.augment import Augmentation
from maskgen.train.data.examples import CROPS, Wanted
from maskgen.train.data.splits import SplitOptions
from maskgen.train.model.backbones import BACKBONES, DEFAULT
from maskgen.train.model.build import HEADS
from maskgen.train.model.optimizer import OPTIMIZERS, SCHEDULES
from maskgen.train.recipes import EPOCHS, RECIPES

# Option -> its allowed values.
CHOICES = {
    "crop": CROPS,
    "which": ("auto", "masked", "unmasked", "both"),
    "recipe": tuple(RECIPES),
    "backbone": tuple(BACKBONES),
    "head": tuple(HEADS),
    "optimizer": OPTIMIZERS,
    "fine_tune_optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "monitor": ("val_auc", "val_loss", "val_accuracy"),
    "cache": ("none", "memory", "disk"),
}


@dataclass(frozen=True)
class Phase:
    """Epochs with the same trainable layers."""

    name: str  # that of its kind; "more-1" and so on for those of `--resume RUN --epochs N`
    kind: str  # "head" (frozen backbone), "scratch" (all layers) or "fine-tune" (last blocks)
    epochs: int  # at most
    rate: float  # highest learning rate


@dataclass(frozen=True)
class TrainOptions:
    """Options of `maskgen train`, with the names and defaults of the command line."""

    data: tuple[str, ...]
    wanted: Wanted = field(default_factory=Wanted)
    split: SplitOptions = field(default_factory=SplitOptions)
    drop_leaks: bool = False
    recipe: str = "standard"  # that chose the other values
    backbone: str = DEFAULT
    head: str = "linear"
    size: int | None = None  # side of the input images; None for that of the backbone
    weights: str = "imagenet"  # or "none", or a path
    dropout: float = 0.3
    epochs: int | None = None  # None for those of the recipe
    fine_tune_epochs: int | None = None  # None for those of the recipe, or 0 from scratch
    unfreeze: int | None = None  # blocks trained in the second phase; None for all
    feature_copies: int = 2  # augmented copies of the training set in the first phase
    optimizer: str = "adamw"
    fine_tune_optimizer: str | None = None  # None for `optimizer`
    learning_rate: float = 1e-3
    fine_tune_rate: float | None = None  # None for `learning_rate`
    block_decay: float = 0.8  # factor of the second phase's rate from each block to the one before it
    warm_up: float = 1.0  # epochs in which the second phase's rate rises
    schedule: str = "cosine"
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    average: float = 0.998  # momentum of the second phase's averaged weights; 0 for none
    batch_size: int = 32
    class_weights: bool = True
    monitor: str = "val_auc"  # the value that decides which epoch is best
    patience: int = 5  # a phase ends after this number of epochs without a better one; 0 for never
    augmentation: Augmentation = field(default_factory=Augmentation)
    mask_on_the_fly: float = 0.0  # share of the unmasked training images that get a mask in each epoch
    landmarks: str | None = None  # landmark file for these
    mixed_precision: bool = False
    devices: int = 1  # of which each takes a share of a batch
    cache: str = "none"  # where decoded images are kept: "memory" or "disk"
    seed: int = 0
    deterministic: bool = False
    no_images: bool = False  # whether report.html has no face
    more: tuple[int, ...] = ()  # epochs of each phase that was added to a run later

    def __post_init__(self) -> None:
        values = {**vars(self.wanted), **vars(self)}
        for name, allowed in CHOICES.items():
            if values[name] is not None and values[name] not in allowed:
                raise UsageError(f"{name} must be one of {', '.join(allowed)}, got {values[name]!r}")
        if self.mask_on_the_fly and self.landmarks is None:
            raise UsageError("--mask-on-the-fly needs --landmarks FILE, written by `maskgen landmarks`")
        if self.batch_size % self.devices:
            raise UsageError(f"--devices {self.devices} cannot divide --batch-size {self.batch_size}")
        if not self.phases:
            raise UsageError("there is no epoch to train: give --epochs or --fine-tune-epochs")

    @property
    def input_size(self) -> int:
        """`size`, or that of the backbone."""
        return self.size or BACKBONES[self.backbone].size

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases with at least one epoch."""
        first, last = ("scratch", "scratch") if self.weights == "none" else ("head", "fine-tune")
        usual = EPOCHS[self.recipe] if first == "head" else (sum(EPOCHS[self.recipe]), 0)
        given = (self.epochs, self.fine_tune_epochs)
        epochs, tuned = (own if own is not None else other for own, other in zip(given, usual, strict=True))
        rate = self.learning_rate if self.fine_tune_rate is None else self.fine_tune_rate
        phases = [
            Phase(first, first, epochs, self.learning_rate),
            Phase("fine-tune", "fine-tune", tuned, rate),
            *(
                Phase(f"more-{number}", last, epochs, rate)
                for number, epochs in enumerate(self.more, start=1)
            ),
        ]
        return tuple(phase for phase in phases if phase.epochs)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainOptions:
        """Read the values of `dataclasses.asdict`; `TypeError` or `KeyError` for those of another version."""
        records = {"wanted": Wanted, "split": SplitOptions, "augmentation": Augmentation}
        inner = {name: record(**values[name]) for name, record in records.items()}
        return cls(**{**values, **inner, **{name: tuple(values[name]) for name in ("data", "more")}})
