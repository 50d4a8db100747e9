"""Option groups of `train` and `split`; `train_options` builds a `TrainOptions` from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, Decorated, links_option, stacked
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

_DEFAULTS = {
    **vars(Wanted()),
    **vars(SplitOptions()),
    **vars(Augmentation()),
    **vars(TrainOptions(data=())),
    **{"folds": False, "augment": True},
}

POSITIVE = click.FloatRange(min=0, min_open=True)
AT_LEAST_ONE, NATURAL = click.IntRange(min=1), click.IntRange(min=0)
SHARE = click.FloatRange(0, 1)


def _option(flag: str, text: str, kind: Any = None, metavar: str | None = None, name: str = "") -> Any:
    """An option with the default of the record that it fills, and the type or the choices `kind`."""
    name = name or flag.partition("/")[0].removeprefix("--").replace("-", "_")
    settings = {"default": _DEFAULTS[name], "is_flag": isinstance(_DEFAULTS[name], bool)}
    kind = click.Choice(kind) if isinstance(kind, tuple) else kind
    return click.option(flag, name, type=kind, metavar=metavar, help=text, **settings)


def which_options(both: str) -> Callable[[Decorated], Decorated]:
    """The options ``--masked``, ``--unmasked`` and ``--both`` with this help text."""
    masked = "Use the masked images."
    unmasked = "Use the unmasked images (of `synth --pairs`)."
    return stacked(
        click.option("--masked", "which", flag_value="masked", default=True, help=masked),
        click.option("--unmasked", "which", flag_value="unmasked", help=unmasked),
        click.option("--both", "which", flag_value="both", help=both),
    )


data_options = stacked(
    click.argument("data", nargs=-1, type=ANY_PATH),
    links_option,
    _option(
        "--label",
        "Column to learn: an attribute, or identity, split, wear, kind or template, with two or more "
        "classes.  [default: the manifest's label, or the folder's name]",
        metavar="COLUMN",
    ),
    which_options("Use masked and unmasked images; both images of a pair are in the same split."),
    _option(
        "--crop",
        "Part of the image that the model sees: the full image, the face, or the upper half of the face.",
        CROPS,
    ),
    _option(
        "--margin",
        "Margin around the face on each side, as a share of the face box's longer side.",
        click.FloatRange(min=0),
    ),
    _option(
        "--limit-per-class",
        "Maximum number of images for each class in each split.  [default: all]",
        AT_LEAST_ONE,
    ),
)

split_options = stacked(
    _option(
        "--official-split/--no-official-split",
        "Keep the dataset's own splits if it has any.",
        name="official",
    ),
    _option(
        "--validation",
        "Share of the images, or of the dataset's training split, that is drawn for validation.",
        SHARE,
    ),
    _option("--test", "Share of the images that is drawn for testing if the dataset has no splits.", SHARE),
    _option("--fold", "Use this fold as the test split, for datasets with folds (Adience).", NATURAL),
    _option("--folds", "Use each fold in turn as the test split."),
    _option("--seed", "Seed of all random choices.", int),
)

training_options = stacked(
    _option("--drop-leaks", "Leave people and images out of training that are also in the test split."),
    _option(
        "--backbone", f"Convolutional network: {', '.join(BACKBONES)}.", tuple(BACKBONES), metavar="NAME"
    ),
    _option(
        "--head",
        "Layers between backbone and classes: small and large use BatchNorm and one or two dense layers; 128 "
        "and 1024 are one dense layer of that width.",
        tuple(HEADS),
    ),
    _option(
        "--size",
        "Width and height of the model's input.  [default: the backbone's own]",
        click.IntRange(min=32),
        metavar="PIXELS",
    ),
    _option(
        "--weights",
        "Initial weights of the backbone: imagenet, none, or the path of a run, model or weights file.",
        str,
        metavar="imagenet|none|PATH",
    ),
    _option("--dropout", "Dropout rate before the last layer.", click.FloatRange(0, 1, max_open=True)),
    _option(
        "--epochs",
        "Maximum epochs of phase 1, which trains the head on the frozen backbone, or, with --weights none, "
        "the whole network.",
        NATURAL,
    ),
    _option(
        "--fine-tune-epochs",
        "Maximum epochs of phase 2, which also trains the backbone's last blocks.  [default: as many as "
        "phase 1; 0 with --weights none]",
        NATURAL,
    ),
    _option(
        "--unfreeze",
        "Number of the backbone's last blocks that phase 2 trains.  [default: the later half]",
        NATURAL,
        metavar="BLOCKS",
    ),
    _option("--optimizer", "Optimizer of phase 1.", OPTIMIZERS),
    _option("--fine-tune-optimizer", "Optimizer of phase 2.  [default: that of phase 1]", OPTIMIZERS),
    _option("--learning-rate", "Initial learning rate of phase 1.", POSITIVE),
    _option(
        "--fine-tune-rate", "Initial learning rate of phase 2.  [default: a tenth of phase 1's]", POSITIVE
    ),
    _option("--schedule", "Learning rate schedule within each phase.", SCHEDULES),
    _option("--batch-size", "Number of images in a batch.", AT_LEAST_ONE),
    _option(
        "--class-weights/--no-class-weights",
        "Weight the loss so that rare classes count as much as frequent ones.",
    ),
    _option("--monitor", "Metric that selects the best epoch.", MONITORS),
    _option("--patience", "End a phase after this many epochs without improvement; 0 means never.", NATURAL),
    _option("--mixed-precision", "Train in half precision, for GPUs."),
    _option("--cache", "Keep decoded images in memory, for small datasets."),
    _option("--deterministic", "Make the weights reproducible; slower."),
    _option("--augment/--no-augment", "Augment the training images."),
    _option("--flip", "Share of the training images that are mirrored.", SHARE),
    _option("--shift", "Maximum shift, as a share of the image's side.", SHARE),
    _option("--rotation", "Maximum rotation, in degrees.", click.FloatRange(0, 180)),
    _option("--contrast", "Maximum change of contrast: 0.2 means 0.8 to 1.2 times.", SHARE),
    _option("--erasing", "Share of the images with a grey rectangle (random erasing).", SHARE),
)


def train_options(data: Sequence[Path], given: dict[str, Any]) -> TrainOptions:
    """Build `TrainOptions` from command-line values.

    Args:
        data: The DATA arguments; if empty, the one dataset under ``masked/``.
        given: The other options by parameter name: those of `train`, or only those of `split`.
    """
    rest = dict(given)
    if rest.pop("folds", False) and rest["fold"] is not None:
        raise UsageError("give --fold for one fold, or --folds for all of them, not both")
    if rest.get("weights", "none") not in ("none", "imagenet"):
        # Absolute, so that a run can be resumed from another folder.
        rest["weights"] = str(model_file(Path(rest["weights"]).absolute()))

    def taken(record: object) -> dict[str, Any]:
        return {name: rest.pop(name) for name in vars(record) if name in rest}

    wanted, split = Wanted(**taken(Wanted())), SplitOptions(**taken(SplitOptions()))
    strengths = taken(Augmentation())
    augmentation = Augmentation(**strengths) if rest.pop("augment", True) else NONE
    folders = tuple(map(str, find_data(data)))
    return TrainOptions(folders, wanted, split, augmentation=augmentation, seed=split.seed, **rest)
