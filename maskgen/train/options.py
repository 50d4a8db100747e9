"""Everything that decides what a training run comes to, in one frozen record that its folder keeps."""

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
    """A stretch of epochs with the same layers learning.

    Attributes:
        name: "head" (backbone frozen), "scratch" (everything learns) or "fine-tune".
        epochs: At most.
        rate: Where its learning rate starts.
    """

    name: str
    epochs: int
    rate: float


@dataclass(frozen=True)
class TrainOptions:
    """Options of `maskgen train`, named as on its command line.

    Attributes:
        data: The folders, as text.
        wanted: Which examples are made of them.
        split: How they are divided.
        drop_leaks: Take what leaks out of the training instead of ending.
        backbone: A key of `maskgen.train.model.backbones.BACKBONES`.
        head: A key of `maskgen.train.model.build.HEADS`.
        size: Side of the model's images; None for the backbone's own.
        weights: "imagenet", "none" or a path.
        dropout: Before the classes.
        epochs: Of the first phase, at most.
        fine_tune_epochs: Of the second; None for as many, or none from scratch.
        unfreeze: How many blocks learn in the second phase; None for the later half.
        optimizer: One of `OPTIMIZERS`.
        fine_tune_optimizer: Of the second phase; None for the same.
        learning_rate: Of the first phase.
        fine_tune_rate: Of the second; None for a tenth of the first.
        schedule: One of `SCHEDULES`, within each phase.
        batch_size: Images in a batch.
        class_weights: Whether rare classes weigh more in the loss.
        monitor: What "best" is judged by.
        patience: Epochs without a better one after which a phase ends; 0 for never.
        augmentation: Of the training's images.
        mixed_precision: Compute in half floats, for GPUs.
        cache: Keep decoded images in memory.
        seed: Where everything drawn starts.
        deterministic: The same weights from the same command, to the bit.
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
        for name, value, known in (
            ("crop", self.wanted.crop, CROPS),
            ("which", self.wanted.which, WHICH),
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("fine-tune optimizer", self.fine_tune_optimizer or self.optimizer, OPTIMIZERS),
            ("schedule", self.schedule, SCHEDULES),
            ("monitor", self.monitor, MONITORS),
        ):
            if value not in known:
                raise UsageError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        if not self.phases:
            raise UsageError("there is no epoch to train: give --epochs or --fine-tune-epochs")

    @property
    def input_size(self) -> int:
        """Side of the images the model takes."""
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
        """The options that `as_dict` gave.

        Raises:
            ConfigurationError: A name is not known: another version wrote them.
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
