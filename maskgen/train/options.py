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

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
# Option -> its allowed values.
CHOICES = {
    "crop": CROPS,
    "which": ("masked", "unmasked", "both"),
    "backbone": tuple(BACKBONES),
    "head": tuple(HEADS),
    "optimizer": OPTIMIZERS,
    "fine_tune_optimizer": OPTIMIZERS,
    "schedule": ("constant", "cosine", "step", "plateau"),
    "monitor": ("val_loss", "val_accuracy"),
}


@dataclass(frozen=True)
class Phase:
    """Epochs with the same trainable layers."""

    name: str  # "head" (frozen backbone), "scratch" (all layers) or "fine-tune" (last blocks)
    epochs: int  # at most
    rate: float  # initial learning rate


@dataclass(frozen=True)
class TrainOptions:
    """Options of `maskgen train`, with the names and defaults of the command line."""

    data: tuple[str, ...]
    wanted: Wanted = field(default_factory=Wanted)
    split: SplitOptions = field(default_factory=SplitOptions)
    drop_leaks: bool = False
    backbone: str = DEFAULT
    head: str = "small"
    size: int | None = None  # side of the input images; None for that of the backbone
    weights: str = "imagenet"  # or "none", or a path
    dropout: float = 0.2
    epochs: int = 10
    fine_tune_epochs: int | None = None  # None for `epochs`, or 0 from scratch
    unfreeze: int | None = None  # blocks trained in the second phase; None for the later half
    optimizer: str = "adam"
    fine_tune_optimizer: str | None = None  # None for `optimizer`
    learning_rate: float = 1e-3
    fine_tune_rate: float | None = None  # None for a tenth of `learning_rate`
    schedule: str = "cosine"
    batch_size: int = 32
    class_weights: bool = True
    monitor: str = "val_loss"  # the value that decides which epoch is best
    patience: int = 5  # a phase ends after this number of epochs without a better one; 0 for never
    augmentation: Augmentation = field(default_factory=Augmentation)
    mixed_precision: bool = False
    cache: bool = False
    seed: int = 0
    deterministic: bool = False

    def __post_init__(self) -> None:
        values = {**vars(self.wanted), **vars(self)}
        for name, allowed in CHOICES.items():
            if values[name] is not None and values[name] not in allowed:
                raise UsageError(f"{name} must be one of {', '.join(allowed)}, got {values[name]!r}")
        if not self.phases:
            raise UsageError("there is no epoch to train: give --epochs or --fine-tune-epochs")

    @property
    def input_size(self) -> int:
        """`size`, or that of the backbone."""
        return self.size or BACKBONES[self.backbone].size

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases with at least one epoch."""
        scratch = self.weights == "none"
        later = (0 if scratch else self.epochs) if self.fine_tune_epochs is None else self.fine_tune_epochs
        rate = self.learning_rate / 10 if self.fine_tune_rate is None else self.fine_tune_rate
        first = Phase("scratch" if scratch else "head", self.epochs, self.learning_rate)
        return tuple(phase for phase in (first, Phase("fine-tune", later, rate)) if phase.epochs)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainOptions:
        """Read the values of `dataclasses.asdict`; `TypeError` or `KeyError` for those of another version."""
        records = {"wanted": Wanted, "split": SplitOptions, "augmentation": Augmentation}
        inner = {name: record(**values[name]) for name, record in records.items()}
        return cls(**{**values, **inner, "data": tuple(values["data"])})
