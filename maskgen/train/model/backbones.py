"""Backbones: input size, input range and block names of each.

Every model takes RGB from 0 to 255. A rescaling layer inside the model gives the backbone its own range.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maskgen.errors import UsageError
from maskgen.keras_runtime import keras
from maskgen.train.model import resnet50
from maskgen.train.model.efficientnet_lite import VARIANTS, lite


@dataclass(frozen=True)
class Backbone:
    """A network without its head."""

    size: int  # side of its published input images
    build: Callable[[Any, str | None], Any]  # (input tensor, weights) -> a model on it, without pooling
    blocks: str  # regular expression for layer names; its group is the name of the block
    full: Callable[[], Any] | None = None  # with ImageNet's classes, to read weights files that have them
    signed: bool = False  # input from -1 to 1 instead of 0 to 255; the other backbones rescale inside


def backbone(name: str) -> Backbone:
    """Look up a backbone by name; `UsageError` if it is unknown."""
    if name not in BACKBONES:
        raise UsageError(f"backbone must be one of {', '.join(BACKBONES)}, got {name!r}")
    return BACKBONES[name]


def _application(name: str, size: int, blocks: str, signed: bool = False) -> Backbone:
    """A network of ``keras.applications``."""

    def build(inputs: Any, weights: str | None) -> Any:
        return getattr(keras().applications, name)(include_top=False, input_tensor=inputs, weights=weights)

    return Backbone(size, build, blocks, lambda: getattr(keras().applications, name)(weights=None), signed)


def _tiny_cnn(inputs: Any, weights: str | None) -> Any:
    """Four convolutions, 0.1 million parameters: for small images and quick trials."""
    layers = keras().layers
    x = inputs
    for block, filters in enumerate((24, 48, 96, 128), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"block{block}_conv")(x)
        x = layers.BatchNormalization(name=f"block{block}_bn")(x)
        x = layers.Activation("relu", name=f"block{block}_relu")(x)
        if block < 4:
            x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return keras().Model(keras().utils.get_source_inputs(inputs), x)


_EFFICIENTNETS = {
    "": {"B0": 224, "B1": 240, "B2": 260, "B3": 300, "B4": 380, "B5": 456, "B6": 528, "B7": 600},
    "V2": {"B0": 224, "B1": 240, "B2": 260, "B3": 300, "S": 384},
}
_STAGES = r"block(\d)"

BACKBONES: dict[str, Backbone] = {
    **{
        f"efficientnet{version}_{name}".lower(): _application(f"EfficientNet{version}{name}", size, _STAGES)
        for version, sizes in _EFFICIENTNETS.items()
        for name, size in sizes.items()
    },
    **{
        f"efficientnet_{variant}": Backbone(own.size, lite(variant), _STAGES)
        for variant, own in VARIANTS.items()
    },
    "mobilenet_v2": _application("MobileNetV2", 224, r"^block_(\d+)_", signed=True),
    "mobilenet_v3": _application("MobileNetV3Large", 224, r"^expanded_conv_(\d+)"),
    # The layers that join the branches mark the ends of its blocks.
    "inception_v3": _application("InceptionV3", 299, r"^mixed(\d+)$", signed=True),
    "resnet50": Backbone(resnet50.SIZE, resnet50.resnet50, r"^conv(\d)_block"),
    "resnet50_v2": _application("ResNet50V2", 224, r"^conv(\d)_block", signed=True),
    "tiny-cnn": Backbone(64, _tiny_cnn, _STAGES, signed=True),
}
DEFAULT = "efficientnet_b0"
