"""Option groups of `train` and `split`; `train_options` builds a `TrainOptions` from them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, FILE, Decorated, links_option, option_table, stacked
from maskgen.errors import UsageError
from maskgen.train.data.augment import NONE, Augmentation
from maskgen.train.data.examples import Wanted
from maskgen.train.data.gather import find_data
from maskgen.train.data.splits import SplitOptions
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.classifier import model_file
from maskgen.train.options import CHOICES, TrainOptions
from maskgen.train.recipes import CHOSEN, RECIPES

_DEFAULTS = {
    **vars(Wanted()),
    **vars(SplitOptions()),
    **vars(Augmentation()),
    **vars(TrainOptions(data=())),
    **dict.fromkeys(CHOSEN),
}

POSITIVE = {"type": click.FloatRange(min=0, min_open=True)}
AT_LEAST_ONE, NATURAL = {"type": click.IntRange(min=1)}, {"type": click.IntRange(min=0)}
SHARE, BELOW_ONE = {"type": click.FloatRange(0, 1)}, {"type": click.FloatRange(0, 1, max_open=True)}
NOT_NEGATIVE = {"type": click.FloatRange(min=0)}


def which_options(both: str, default: str = "masked") -> Callable[[Decorated], Decorated]:
    """The options ``--masked``, ``--unmasked`` and ``--both`` with this help text."""
    masked = "Use the masked images."
    unmasked = "Use the unmasked images (of `synth --pairs`)."
    return stacked(
        click.option("--masked", "which", flag_value="masked", default=default, help=masked),
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
    which_options(
        "Use masked and unmasked images; both images of a pair are in the same split.  [default: if the data "
        "have pairs]",
        "auto",
    ),
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
    "--head": "Layers between backbone and classes: linear has none, small and large use BatchNorm and one "
    "or two dense layers; 128 and 1024 are one dense layer of that width.",
    "--size": "Width and height of the model's input.  [default: the backbone's own]",
    "--weights": "Initial weights of the backbone: imagenet, none, or the path of a run, a model, a weights "
    "file of Keras (.h5) or a PyTorch state dict (.pth, .safetensors).",
    "--recipe": "Epochs, averaging and augmentation that go together; each can also be given.",
    "--dropout": "Dropout rate before the last layer.",
    "--epochs": "Maximum epochs of phase 1, which trains the head on the frozen backbone, or, with --weights "
    "none, the whole network.  [default: the recipe's]",
    "--fine-tune-epochs": "Maximum epochs of phase 2, which also trains the backbone.  [default: the "
    "recipe's; 0 with --weights none]",
    "--feature-copies": "Augmented copies of the training set in phase 1; the backbone sees each once.",
    "--unfreeze": "Number of the backbone's last blocks that phase 2 trains.  [default: all]",
    "--optimizer": "Optimizer of phase 1.",
    "--fine-tune-optimizer": "Optimizer of phase 2.  [default: that of phase 1]",
    "--learning-rate": "Initial learning rate of phase 1.",
    "--fine-tune-rate": "Initial learning rate of phase 2.  [default: that of phase 1]",
    "--block-decay": "Factor of phase 2's rate from each block of the backbone to the one before it.",
    "--warm-up": "Epochs in which phase 2's rate rises from zero.",
    "--schedule": "Learning rate schedule within each phase.",
    "--weight-decay": "Decoupled weight decay; biases and BatchNorm have none.",
    "--label-smoothing": "Share of each label that is spread over all classes.",
    "--average": "Momentum of the averaged weights that phase 2 is judged by; 0 for none.  [default: the "
    "recipe's]",
    "--batch-size": "Number of images in a batch.",
    "--class-weights/--no-class-weights": "Weight the loss so that rare classes count as much as frequent "
    "ones.",
    "--monitor": "Metric that selects the best epoch.",
    "--patience": "End a phase after this many epochs without improvement; 0 means never.  [default: 5; 10 "
    "with --recipe long]",
    "--mask-on-the-fly": "Share of the unmasked training images that get a mask, another one in each "
    "epoch; the masked ones are left out of training.",
    "--landmarks": "Landmark file for --mask-on-the-fly, written by `maskgen landmarks` from the same "
    "dataset.",
    "--mixed-precision": "Train in half precision, for GPUs.",
    "--devices": "Number of GPUs that share each batch; only with KERAS_BACKEND=jax.",
    "--cache": "Keep decoded images: in memory, or on disk in the run folder, at the size of the input.",
    "--deterministic": "Make the weights reproducible; slower.",
    "--no-images": "Leave the images of the worst errors out of report.html.",
    "--augment/--no-augment": "Augment the training images.",
    "--flip": "Share of the training images that are mirrored.",
    "--shift": "Maximum shift, as a share of the image's side.",
    "--rotation": "Maximum rotation, in degrees.",
    "--scale": "Maximum change of size: 0.12 means 0.88 to 1.12 times.",
    "--contrast": "Maximum change of contrast: 0.25 means 0.75 to 1.25 times.",
    "--color": "Maximum change of saturation; brightness changes by a quarter of it.",
    "--blur": "Share of the training images that are blurred.",
    "--jpeg": "Share of the training images with JPEG artefacts.",
    "--erasing": "Share of the images with a grey rectangle (random erasing).  [default: 0.25; 0.4 with "
    "--recipe long]",
}
training_options = option_table(
    _TRAINING_HELP,
    _DEFAULTS,
    CHOICES,
    backbone={"metavar": "NAME"},
    size={"type": click.IntRange(min=32), "metavar": "PIXELS"},
    weights={"metavar": "imagenet|none|PATH"},
    unfreeze={**NATURAL, "metavar": "BLOCKS"},
    augment={"default": True},
    rotation={"type": click.FloatRange(0, 180)},
    cache={"flag_value": "memory"},
    landmarks={"type": FILE},
    block_decay={"type": click.FloatRange(0, 1, min_open=True)},
    **dict.fromkeys(("epochs", "fine_tune_epochs", "patience"), NATURAL),
    **dict.fromkeys(("learning_rate", "fine_tune_rate"), POSITIVE),
    **dict.fromkeys(("warm_up", "weight_decay"), NOT_NEGATIVE),
    **dict.fromkeys(("dropout", "label_smoothing", "average"), BELOW_ONE),
    **dict.fromkeys(
        ("mask_on_the_fly", "flip", "shift", "scale", "contrast", "color", "blur", "jpeg", "erasing"), SHARE
    ),
    **dict.fromkeys(("batch_size", "feature_copies", "devices"), AT_LEAST_ONE),
)


def train_options(data: Sequence[Path], given: dict[str, Any]) -> TrainOptions:
    """Build `TrainOptions` from the DATA arguments and the other options of `train` or `split`."""
    chosen = RECIPES[given.get("recipe", "standard")]
    rest = {**chosen, **{name: value for name, value in given.items() if value is not None}}
    if rest.pop("folds", False) and rest.get("fold") is not None:
        raise UsageError("give --fold for one fold, or --folds for all of them, not both")
    if rest.get("weights", "none") not in ("none", "imagenet"):
        # Absolute, so that a run can be resumed from another folder.
        rest["weights"] = str(model_file(Path(rest["weights"]).absolute()))

    if "landmarks" in rest:
        rest["landmarks"] = str(rest["landmarks"].absolute())

    def taken(record: object) -> dict[str, Any]:
        return {name: rest.pop(name) for name in vars(record) if name in rest}

    wanted, split = Wanted(**taken(Wanted())), SplitOptions(**taken(SplitOptions()))
    strengths = taken(Augmentation())
    augmentation = Augmentation(**strengths) if rest.pop("augment", True) else NONE
    folders = tuple(map(str, find_data(data)))
    return TrainOptions(folders, wanted, split, augmentation=augmentation, seed=split.seed, **rest)
