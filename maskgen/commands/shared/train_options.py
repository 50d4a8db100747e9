"""Option groups of `train` and `split`; `train_options` builds a `TrainOptions` from them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, Decorated, links_option, option_table, stacked
from maskgen.errors import UsageError
from maskgen.train.data.augment import NONE, Augmentation
from maskgen.train.data.examples import Wanted
from maskgen.train.data.gather import find_data
from maskgen.train.data.splits import SplitOptions
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.classifier import model_file
from maskgen.train.options import CHOICES, TrainOptions

_DEFAULTS = {
    **vars(Wanted()),
    **vars(SplitOptions()),
    **vars(Augmentation()),
    **vars(TrainOptions(data=())),
}

POSITIVE = {"type": click.FloatRange(min=0, min_open=True)}
AT_LEAST_ONE, NATURAL = {"type": click.IntRange(min=1)}, {"type": click.IntRange(min=0)}
SHARE = {"type": click.FloatRange(0, 1)}


def which_options(both: str) -> Callable[[Decorated], Decorated]:
    """The options ``--masked``, ``--unmasked`` and ``--both`` with this help text."""
    masked = "Use the masked images."
    unmasked = "Use the unmasked images (of `synth --pairs`)."
    return stacked(
        click.option("--masked", "which", flag_value="masked", default=True, help=masked),
        click.option("--unmasked", "which", flag_value="unmasked", help=unmasked),
        click.option("--both", "which", flag_value="both", help=both),
    )


_LABEL_HELP = {
    "--label": "Column to learn: an attribute, or identity, split, wear, kind or template, with two or more "
    "classes.  [default: the manifest's label, or the folder's name]",
}
_DATA_HELP = {
    "--crop": "Part of the image that the model sees: the full image, the face, or the upper half of the "
    "face.",
    "--margin": "Margin around the face on each side, as a share of the face box's longer side.",
    "--limit-per-class": "Maximum number of training images for each class; validation and test stay whole.  "
    "[default: all]",
}
data_options = stacked(
    click.argument("data", nargs=-1, type=ANY_PATH),
    links_option,
    option_table(_LABEL_HELP, label={"metavar": "COLUMN"}),
    which_options("Use masked and unmasked images; both images of a pair are in the same split."),
    option_table(
        _DATA_HELP,
        _DEFAULTS,
        CHOICES,
        margin={"type": click.FloatRange(min=0)},
        limit_per_class=AT_LEAST_ONE,
    ),
)

_SPLIT_HELP = {
    "--official-split/--no-official-split official": "Keep the dataset's own splits if it has any.",
    "--validation": "Share of the images, or of the dataset's training split, that is drawn for validation.",
    "--test": "Share of the images that is drawn for testing if the dataset has no splits.",
    "--fold": "Use this fold as the test split, for datasets with folds (Adience).",
    "--folds": "Use each fold in turn as the test split.",
    "--seed": "Seed of all random choices.",
}
split_options = option_table(_SPLIT_HELP, _DEFAULTS, validation=SHARE, test=SHARE, fold=NATURAL)

_TRAINING_HELP = {
    "--drop-leaks": "Leave people and images out of training that are also in the test split.",
    "--backbone": f"Convolutional network: {', '.join(BACKBONES)}.",
    "--head": "Layers between backbone and classes: small and large use BatchNorm and one or two dense "
    "layers; 128 and 1024 are one dense layer of that width.",
    "--size": "Width and height of the model's input.  [default: the backbone's own]",
    "--weights": "Initial weights of the backbone: imagenet, none, or the path of a run, model or weights "
    "file.",
    "--dropout": "Dropout rate before the last layer.",
    "--epochs": "Maximum epochs of phase 1, which trains the head on the frozen backbone, or, with --weights "
    "none, the whole network.",
    "--fine-tune-epochs": "Maximum epochs of phase 2, which also trains the backbone's last blocks.  "
    "[default: as many as phase 1; 0 with --weights none]",
    "--unfreeze": "Number of the backbone's last blocks that phase 2 trains.  [default: the later half]",
    "--optimizer": "Optimizer of phase 1.",
    "--fine-tune-optimizer": "Optimizer of phase 2.  [default: that of phase 1]",
    "--learning-rate": "Initial learning rate of phase 1.",
    "--fine-tune-rate": "Initial learning rate of phase 2.  [default: a tenth of phase 1's]",
    "--schedule": "Learning rate schedule within each phase.",
    "--batch-size": "Number of images in a batch.",
    "--class-weights/--no-class-weights": "Weight the loss so that rare classes count as much as frequent "
    "ones.",
    "--monitor": "Metric that selects the best epoch.",
    "--patience": "End a phase after this many epochs without improvement; 0 means never.",
    "--mixed-precision": "Train in half precision, for GPUs.",
    "--cache": "Keep decoded images in memory, for small datasets.",
    "--deterministic": "Make the weights reproducible; slower.",
    "--augment/--no-augment": "Augment the training images.",
    "--flip": "Share of the training images that are mirrored.",
    "--shift": "Maximum shift, as a share of the image's side.",
    "--rotation": "Maximum rotation, in degrees.",
    "--contrast": "Maximum change of contrast: 0.2 means 0.8 to 1.2 times.",
    "--erasing": "Share of the images with a grey rectangle (random erasing).",
}
training_options = option_table(
    _TRAINING_HELP,
    _DEFAULTS,
    CHOICES,
    backbone={"metavar": "NAME"},
    size={"type": click.IntRange(min=32), "metavar": "PIXELS"},
    weights={"metavar": "imagenet|none|PATH"},
    dropout={"type": click.FloatRange(0, 1, max_open=True)},
    unfreeze={**NATURAL, "metavar": "BLOCKS"},
    augment={"default": True},
    rotation={"type": click.FloatRange(0, 180)},
    **dict.fromkeys(("epochs", "fine_tune_epochs", "patience"), NATURAL),
    **dict.fromkeys(("learning_rate", "fine_tune_rate"), POSITIVE),
    **dict.fromkeys(("flip", "shift", "contrast", "erasing"), SHARE),
    batch_size=AT_LEAST_ONE,
)


def train_options(data: Sequence[Path], given: dict[str, Any]) -> TrainOptions:
    """Build `TrainOptions` from the DATA arguments and the other options of `train` or `split`."""
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
