"""Options of a training run: one frozen record, stored in the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from maskgen.errors import ConfigurationError, UsageError
from maskgen.train.data.augment import Augmentation
from maskgen.train.data.crops import CROPS
from maskgen.train.data.examples import Wanted
from maskgen.train.data.splits import SplitOptions
from maskgen.train.model.backbones import DEFAULT, backbone

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine", "step", "plateau")
WHICH = ("masked", "unmasked", "both")
MONITORS = ("val_loss", "val_accuracy")


@dataclass(frozen=True)
class Phase:
    """Consecutive epochs with the same trainable layers.

    Attributes:
        name: "head" (frozen backbone), "scratch" (all layers) or "fine-tune" (last blocks).
        epochs: Maximum number of epochs.
        rate: Initial learning rate.
    """

    name: str
    epochs: int
    rate: float


@dataclass(frozen=True)
class TrainOptions:
    """Options of `maskgen train`, with the names of the command line.

    Attributes:
        data: The data folders, as text.
        wanted: The selection of examples.
        split: The options of the split.
        drop_leaks: Remove leaks from the training instead of raising an error.
        backbone: A key of `maskgen.train.model.backbones.BACKBONES`.
        head: A key of `maskgen.train.model.build.HEADS`.
        size: Side of the input images; None for that of the backbone.
        weights: "imagenet", "none" or a path.
        dropout: Dropout rate before the last layer.
        epochs: Maximum number of epochs of the first phase.
        fine_tune_epochs: The same for the second phase; None for `epochs`, or 0 from scratch.
        unfreeze: Number of blocks trained in the second phase; None for the later half.
        optimizer: One of `OPTIMIZERS`.
        fine_tune_optimizer: Optimizer of the second phase; None for `optimizer`.
        learning_rate: Initial learning rate of the first phase.
        fine_tune_rate: The same for the second phase; None for a tenth of it.
        schedule: One of `SCHEDULES`, within each phase.
        batch_size: Images per batch.
        class_weights: Give rare classes a higher weight in the loss.
        monitor: One of `MONITORS`: the value that decides which epoch is best.
        patience: A phase ends after this number of epochs without a better one; 0 for never.
        augmentation: Augmentation of the training images.
        mixed_precision: Compute in half floats, for GPUs.
        cache: Keep decoded images in memory.
        seed: Seed of all random numbers.
        deterministic: Make the weights reproducible to the bit.
    """

    data: tuple[str, ...]
    wanted: Wanted = field(default_factory=Wanted)
    split: SplitOptions = field(default_factory=SplitOptions)
    drop_leaks: bool = False
    backbone: str = DEFAULT
    head: str = "small"
    size: int | None = None
    weights: str = "imagenet"
    dropout: float = 0.2
    epochs: int = 10
    fine_tune_epochs: int | None = None
    unfreeze: int | None = None
    optimizer: str = "adam"
    fine_tune_optimizer: str | None = None
    learning_rate: float = 1e-3
    fine_tune_rate: float | None = None
    schedule: str = "cosine"
    batch_size: int = 32
    class_weights: bool = True
    monitor: str = "val_loss"
    patience: int = 5
    augmentation: Augmentation = field(default_factory=Augmentation)
    mixed_precision: bool = False
    cache: bool = False
    seed: int = 0
    deterministic: bool = False

    def __post_init__(self) -> None:
        backbone(self.backbone)
        for name, value, choices in (
            ("crop", self.wanted.crop, CROPS),
            ("which", self.wanted.which, WHICH),
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("fine-tune optimizer", self.fine_tune_optimizer or self.optimizer, OPTIMIZERS),
            ("schedule", self.schedule, SCHEDULES),
            ("monitor", self.monitor, MONITORS),
        ):
            if value not in choices:
                raise UsageError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
        if not self.phases:
            raise UsageError("there is no epoch to train: give --epochs or --fine-tune-epochs")

    @property
    def input_size(self) -> int:
        """Side of the input images."""
        return self.size or backbone(self.backbone).size

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases with at least one epoch."""
        scratch = self.weights == "none"
        later = (0 if scratch else self.epochs) if self.fine_tune_epochs is None else self.fine_tune_epochs
        rate = self.learning_rate / 10 if self.fine_tune_rate is None else self.fine_tune_rate
        first = Phase("scratch" if scratch else "head", self.epochs, self.learning_rate)
        return tuple(phase for phase in (first, Phase("fine-tune", later, rate)) if phase.epochs)

    def as_dict(self) -> dict[str, Any]:
        """The options as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainOptions:
        """Read the values of `as_dict`.

        Raises:
            ConfigurationError: An option is unknown, because another version wrote it.
        """
        unknown = set(values) - {each.name for each in fields(cls)}
        if unknown:
            raise ConfigurationError(f"unknown options {', '.join(sorted(unknown))}: another version's run")
        inner = {
            "wanted": Wanted(**values["wanted"]),
            "split": SplitOptions(**values["split"]),
            "augmentation": Augmentation(**values["augmentation"]),
            "data": tuple(values["data"]),
        }
        return cls(**{**values, **inner})
