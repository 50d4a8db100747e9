"""Option groups of `train` and `split`; `train_options` builds a `TrainOptions` from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, links_option, stacked
from maskgen.errors import UsageError
from maskgen.train.data.augment import NONE, Augmentation
from maskgen.train.data.crops import CROPS
from maskgen.train.data.examples import Wanted
from maskgen.train.data.gather import find_data
from maskgen.train.data.splits import SplitOptions
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.build import HEADS
from maskgen.train.model.classifier import model_file
from maskgen.train.options import MONITORS, OPTIMIZERS, SCHEDULES, TrainOptions

_TRAIN = TrainOptions(data=())
_AUGMENTATION = Augmentation()
POSITIVE = click.FloatRange(min=0, min_open=True)
AT_LEAST_ONE = click.IntRange(min=1)
SHARE = click.FloatRange(0, 1)


def _default(flag: str, kind: Any, default: Any, text: str, **more: Any) -> Any:
    return click.option(flag, type=kind, default=default, show_default=True, help=text, **more)


data_options = stacked(
    click.argument("data", nargs=-1, type=ANY_PATH),
    links_option,
    click.option(
        "--label",
        metavar="COLUMN",
        help="Column to learn: an attribute, or identity, split, wear, kind or template, with two or more "
        "classes.  [default: the manifest's label, or the folder's name]",
    ),
    click.option("--masked", "which", flag_value="masked", default=True, help="Use the masked images."),
    click.option(
        "--unmasked", "which", flag_value="unmasked", help="Use the unmasked images (of `synth --pairs`)."
    ),
    click.option(
        "--both",
        "which",
        flag_value="both",
        help="Use masked and unmasked images; both images of a pair are in the same split.",
    ),
    _default(
        "--crop",
        click.Choice(CROPS),
        _TRAIN.wanted.crop,
        "Part of the image that the model sees: the full image, the face, or the upper half of the face.",
    ),
    _default(
        "--margin",
        click.FloatRange(min=0),
        _TRAIN.wanted.margin,
        "Margin around the face on each side, as a share of the face box's longer side.",
    ),
    click.option(
        "--limit-per-class",
        type=AT_LEAST_ONE,
        help="Maximum number of images for each class in each split.  [default: all]",
    ),
)

split_options = stacked(
    click.option(
        "--official-split/--no-official-split",
        "official",
        default=True,
        show_default=True,
        help="Keep the dataset's own splits if it has any.",
    ),
    _default(
        "--validation",
        SHARE,
        _TRAIN.split.validation,
        "Share of the images, or of the dataset's training split, that is drawn for validation.",
    ),
    _default(
        "--test",
        SHARE,
        _TRAIN.split.test,
        "Share of the images that is drawn for testing if the dataset has no splits.",
    ),
    click.option(
        "--fold",
        type=click.IntRange(min=0),
        help="Use this fold as the test split, for datasets with folds (Adience).",
    ),
    click.option("--folds", is_flag=True, help="Use each fold in turn as the test split."),
    _default("--seed", int, _TRAIN.seed, "Seed of all random choices."),
)

model_options = stacked(
    _default(
        "--backbone",
        click.Choice(tuple(BACKBONES)),
        _TRAIN.backbone,
        f"Convolutional network: {', '.join(BACKBONES)}.",
        metavar="NAME",
    ),
    _default(
        "--head",
        click.Choice(tuple(HEADS)),
        _TRAIN.head,
        "Layers between backbone and classes: small and large use BatchNorm and one or two dense layers; 128 "
        "and 1024 are one dense layer of that width.",
    ),
    click.option(
        "--size",
        type=click.IntRange(min=32),
        metavar="PIXELS",
        help="Width and height of the model's input.  [default: the backbone's own]",
    ),
    _default(
        "--weights",
        str,
        _TRAIN.weights,
        "Initial weights of the backbone: imagenet, none, or the path of a run, model or weights file.",
        metavar="imagenet|none|PATH",
    ),
    _default(
        "--dropout",
        click.FloatRange(0, 1, max_open=True),
        _TRAIN.dropout,
        "Dropout rate before the last layer.",
    ),
)

fit_options = stacked(
    _default(
        "--epochs",
        click.IntRange(min=0),
        _TRAIN.epochs,
        "Maximum epochs of phase 1, which trains the head on the frozen backbone, or, with --weights none, "
        "the whole network.",
    ),
    click.option(
        "--fine-tune-epochs",
        type=click.IntRange(min=0),
        help="Maximum epochs of phase 2, which also trains the backbone's last blocks.  [default: as many as "
        "phase 1; 0 with --weights none]",
    ),
    click.option(
        "--unfreeze",
        type=click.IntRange(min=0),
        metavar="BLOCKS",
        help="Number of the backbone's last blocks that phase 2 trains.  [default: the later half]",
    ),
    _default("--optimizer", click.Choice(OPTIMIZERS), _TRAIN.optimizer, "Optimizer of phase 1."),
    click.option(
        "--fine-tune-optimizer",
        type=click.Choice(OPTIMIZERS),
        help="Optimizer of phase 2.  [default: that of phase 1]",
    ),
    _default("--learning-rate", POSITIVE, _TRAIN.learning_rate, "Initial learning rate of phase 1."),
    click.option(
        "--fine-tune-rate",
        type=POSITIVE,
        help="Initial learning rate of phase 2.  [default: a tenth of phase 1's]",
    ),
    _default(
        "--schedule", click.Choice(SCHEDULES), _TRAIN.schedule, "Learning rate schedule within each phase."
    ),
    _default("--batch-size", AT_LEAST_ONE, _TRAIN.batch_size, "Number of images in a batch."),
    click.option(
        "--class-weights/--no-class-weights",
        default=_TRAIN.class_weights,
        show_default=True,
        help="Weight the loss so that rare classes count as much as frequent ones.",
    ),
    _default("--monitor", click.Choice(MONITORS), _TRAIN.monitor, "Metric that selects the best epoch."),
    _default(
        "--patience",
        click.IntRange(min=0),
        _TRAIN.patience,
        "End a phase after this many epochs without improvement; 0 means never.",
    ),
    click.option("--mixed-precision", is_flag=True, help="Train in half precision, for GPUs."),
    click.option("--cache", is_flag=True, help="Keep decoded images in memory, for small datasets."),
    click.option("--deterministic", is_flag=True, help="Make the weights reproducible; slower."),
)

augmentation_options = stacked(
    click.option(
        "--augment/--no-augment", default=True, show_default=True, help="Augment the training images."
    ),
    _default("--flip", SHARE, _AUGMENTATION.flip, "Share of the training images that are mirrored."),
    _default("--shift", SHARE, _AUGMENTATION.shift, "Maximum shift, as a share of the image's side."),
    _default("--rotation", click.FloatRange(0, 180), _AUGMENTATION.rotation, "Maximum rotation, in degrees."),
    _default(
        "--contrast", SHARE, _AUGMENTATION.contrast, "Maximum change of contrast: 0.2 means 0.8 to 1.2 times."
    ),
    _default(
        "--erasing",
        SHARE,
        _AUGMENTATION.erasing,
        "Share of the images with a grey rectangle (random erasing).",
    ),
)

_WANTED = ("label", "which", "crop", "margin")
_SPLIT = ("seed", "validation", "test", "fold", "official", "limit_per_class")
_AUGMENTED = ("flip", "shift", "rotation", "contrast", "erasing")


def train_options(data: Sequence[Path], given: dict[str, Any]) -> TrainOptions:
    """Build `TrainOptions` from command-line values.

    Args:
        data: The DATA arguments; if empty, the one dataset under ``masked/``.
        given: The other options by parameter name: those of `train`, or only those of `split`.

    Raises:
        UsageError: Two options contradict each other.
        MissingDataError: Data or weights do not exist.
    """
    rest = dict(given)
    if rest.pop("folds", False) and rest["fold"] is not None:
        raise UsageError("give --fold for one fold, or --folds for all of them, not both")
    if rest.get("weights", "none") not in ("none", "imagenet"):
        # Absolute, so that a run can be resumed from another folder.
        rest["weights"] = str(model_file(Path(rest["weights"]).absolute()))
    wanted = Wanted(**{name: rest.pop(name) for name in _WANTED})
    split = SplitOptions(**{name: rest.pop(name) for name in _SPLIT})
    strengths = {name: rest.pop(name) for name in _AUGMENTED if name in rest}
    augmentation = Augmentation(**strengths) if rest.pop("augment", True) else NONE
    return TrainOptions(
        data=tuple(map(str, find_data(data))),
        wanted=wanted,
        split=split,
        augmentation=augmentation,
        seed=split.seed,
        **rest,
    )
