"""Options of `maskgen train` and `maskgen split`, as decorators, and the records made of them."""

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
        help="What is the class: an attribute, or identity, split, wear, kind, template; two classes or "
        "more.  [default: the manifest's label, or the folder's name]",
    ),
    click.option("--masked", "which", flag_value="masked", default=True, help="Masked images.  [default]"),
    click.option("--unmasked", "which", flag_value="unmasked", help="Their unmasked twins (synth --pairs)."),
    click.option("--both", "which", flag_value="both", help="Both, the two of a pair in the same split."),
    _default("--crop", click.Choice(CROPS), _TRAIN.wanted.crop, "What the model is shown of an image."),
    _default(
        "--margin",
        click.FloatRange(min=0),
        _TRAIN.wanted.margin,
        "What a crop adds around the face on each side, in sides of its box.",
    ),
    click.option(
        "--limit-per-class", type=AT_LEAST_ONE, help="Images of each class in each split.  [default: all]"
    ),
)

split_options = stacked(
    click.option(
        "--official-split/--no-official-split",
        "official",
        default=True,
        show_default=True,
        help="Keep the dataset's own splits, where it has them.",
    ),
    _default("--validation", SHARE, _TRAIN.split.validation, "Share that validates, where it is drawn."),
    _default("--test", SHARE, _TRAIN.split.test, "Share that is the test, where it is drawn."),
    click.option("--fold", type=click.IntRange(min=0), help="Test on this fold, as Adience has them."),
    click.option("--folds", is_flag=True, help="Each fold in turn."),
    _default("--seed", int, _TRAIN.seed, "Where everything drawn starts."),
)

model_options = stacked(
    _default("--backbone", click.Choice(tuple(BACKBONES)), _TRAIN.backbone, "The network.", metavar="NAME"),
    _default("--head", click.Choice(tuple(HEADS)), _TRAIN.head, "The layers behind it."),
    click.option(
        "--size", type=click.IntRange(min=32), help="Side of the images.  [default: the backbone's own]"
    ),
    _default(
        "--weights",
        str,
        _TRAIN.weights,
        "Where the backbone starts: imagenet, none, or the path of a run, model or weights file.",
        metavar="imagenet|none|PATH",
    ),
    _default("--dropout", click.FloatRange(0, 1, max_open=True), _TRAIN.dropout, "Before the classes."),
)

fit_options = stacked(
    _default(
        "--epochs",
        click.IntRange(min=0),
        _TRAIN.epochs,
        "Of phase 1, at most: the backbone frozen, or everything with --weights none.",
    ),
    click.option(
        "--fine-tune-epochs",
        type=click.IntRange(min=0),
        help="Of phase 2, at most.  [default: as many as phase 1; 0 with --weights none]",
    ),
    click.option(
        "--unfreeze",
        type=click.IntRange(min=0),
        metavar="BLOCKS",
        help="How many of the backbone's last blocks phase 2 trains.  [default: the later half]",
    ),
    _default("--optimizer", click.Choice(OPTIMIZERS), _TRAIN.optimizer, "Of phase 1."),
    click.option(
        "--fine-tune-optimizer", type=click.Choice(OPTIMIZERS), help="Of phase 2.  [default: the same]"
    ),
    _default("--learning-rate", POSITIVE, _TRAIN.learning_rate, "Of phase 1."),
    click.option("--fine-tune-rate", type=POSITIVE, help="Of phase 2.  [default: a tenth]"),
    _default("--schedule", click.Choice(SCHEDULES), _TRAIN.schedule, "Of the learning rate, in each phase."),
    _default("--batch-size", AT_LEAST_ONE, _TRAIN.batch_size, "Images in a batch."),
    click.option(
        "--class-weights/--no-class-weights",
        default=_TRAIN.class_weights,
        show_default=True,
        help="Give every class the same say, however rare.",
    ),
    _default("--monitor", click.Choice(MONITORS), _TRAIN.monitor, "What the best epoch is chosen by."),
    _default(
        "--patience",
        click.IntRange(min=0),
        _TRAIN.patience,
        "Epochs without a better one that end a phase; 0 for never.",
    ),
    click.option("--mixed-precision", is_flag=True, help="Compute in half floats: for GPUs."),
    click.option("--cache", is_flag=True, help="Keep the decoded images in memory: for small datasets."),
    click.option("--deterministic", is_flag=True, help="The same command gives the same weights; slower."),
)

augmentation_options = stacked(
    click.option(
        "--augment/--no-augment", default=True, show_default=True, help="Vary the training's images."
    ),
    _default("--flip", SHARE, _AUGMENTATION.flip, "Share of them that is mirrored."),
    _default("--shift", SHARE, _AUGMENTATION.shift, "How far they are moved, in sides."),
    _default("--rotation", click.FloatRange(0, 180), _AUGMENTATION.rotation, "How far turned, in degrees."),
    _default("--contrast", SHARE, _AUGMENTATION.contrast, "How much contrast is changed."),
    _default("--erasing", SHARE, _AUGMENTATION.erasing, "Share of them that gets a grey rectangle."),
)

_WANTED = ("label", "which", "crop", "margin")
_SPLIT = ("seed", "validation", "test", "fold", "official", "limit_per_class")
_AUGMENTED = ("flip", "shift", "rotation", "contrast", "erasing")


def train_options(data: Sequence[Path], given: dict[str, Any]) -> TrainOptions:
    """The options of a run, from what was given on the command line.

    Args:
        data: The DATA; the one dataset under ``masked/`` where there are none.
        given: All other options by the names of their parameters; those of `split` may be all there are.

    Raises:
        UsageError: Two options contradict each other.
        MissingDataError: There are no such data or weights.
    """
    rest = dict(given)
    if rest.pop("folds", False) and rest["fold"] is not None:
        raise UsageError("give --fold for one of them, or --folds for each in turn")
    if rest.get("weights", "none") not in ("none", "imagenet"):
        # A run is taken up again from wherever one is.
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
