"""EfficientNet-Lite0 to Lite4: EfficientNet for phones, without squeeze-and-excitation and with ReLU6.

Architecture and figures: R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog,
March 2020, and the TPU reference code (``efficientnet_lite_builder.py``). The stem and the last convolution
have the same width in all five, and the first and the last stage the same depth.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maskgen.keras_runtime import keras


@dataclass(frozen=True)
class Stage:
    """Blocks of one resolution and width, as in Lite0."""

    blocks: int
    kernel: int
    stride: int  # of its first block
    expansion: int  # channels inside a block, as a multiple of those before it
    filters: int  # channels after each block


@dataclass(frozen=True)
class Variant:
    """How one of the five differs from Lite0."""

    width: float
    depth: float
    size: int  # side of its published input images
    dropout: float  # before the classes of the published model


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
VARIANTS = {
    "lite0": Variant(1.0, 1.0, 224, 0.2),
    "lite1": Variant(1.0, 1.1, 240, 0.2),
    "lite2": Variant(1.1, 1.2, 260, 0.3),
    "lite3": Variant(1.2, 1.4, 280, 0.3),
    "lite4": Variant(1.4, 1.8, 300, 0.3),
}
STEM, TOP = 32, 1280
DROP_CONNECT = 0.2  # rate of dropping the last block's output in training; less before
CENTRE, SPREAD = 127.0, 128.0  # The published weights take (x - 127) / 128.


def lite(variant: str) -> Callable[[Any, str | None], Any]:
    """The builder of a variant, from an RGB tensor of 0 to 255 to features, for `Backbone.build`."""
    return lambda inputs, weights: _build(VARIANTS[variant], inputs, weights)


def _build(variant: Variant, inputs: Any, weights: str | None) -> Any:
    if weights is not None:
        raise ValueError(f"weights must be None, got {weights!r}: `load_backbone` loads them")
    x = keras().layers.Rescaling(1 / SPREAD, offset=-CENTRE / SPREAD, name="rescaling")(inputs)
    x = _convolution(x, STEM, 3, "stem_conv", stride=2)
    x = _normalized(x, "stem_bn", relu="stem_relu")
    depths = [_depth(stage, variant) for stage in STAGES]
    built, total = 0, sum(depths)
    for number, (stage, depth) in enumerate(zip(STAGES, depths, strict=True), start=1):
        for place in range(depth):
            name = f"block{number}{chr(ord('a') + place)}_"
            stride = stage.stride if place == 0 else 1
            x = _block(x, stage, _width(stage.filters, variant), stride, name, DROP_CONNECT * built / total)
            built += 1
    x = _convolution(x, TOP, 1, "top_conv")
    x = _normalized(x, "top_bn", relu="top_relu")
    return keras().Model(keras().utils.get_source_inputs(inputs), x)


def _block(inputs: Any, stage: Stage, filters: int, stride: int, name: str, drop: float) -> Any:
    """An inverted residual block; `drop` is the rate of dropping its output in training."""
    layers = keras().layers
    x, before = inputs, inputs.shape[-1]
    if stage.expansion > 1:
        x = _convolution(x, before * stage.expansion, 1, f"{name}expand_conv")
        x = _normalized(x, f"{name}expand_bn", relu=f"{name}expand_relu")
    x = layers.DepthwiseConv2D(
        stage.kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=_initializer(),
        name=f"{name}dwconv",
    )(x)
    x = _normalized(x, f"{name}bn", relu=f"{name}relu")
    x = _convolution(x, filters, 1, f"{name}project_conv")
    x = _normalized(x, f"{name}project_bn")
    if stride > 1 or before != filters:
        return x
    if drop:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, inputs])


def _convolution(x: Any, filters: int, kernel: int, name: str, stride: int = 1) -> Any:
    return keras().layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=_initializer(),
        name=name,
    )(x)


def _initializer() -> Any:
    return keras().initializers.VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")


def _normalized(x: Any, name: str, relu: str | None = None) -> Any:
    x = keras().layers.BatchNormalization(name=name)(x)
    return x if relu is None else keras().layers.ReLU(6, name=relu)(x)


def _depth(stage: Stage, variant: Variant) -> int:
    fixed = stage in (STAGES[0], STAGES[-1])
    return stage.blocks if fixed else math.ceil(stage.blocks * variant.depth)


def _width(filters: int, variant: Variant) -> int:
    """Scale a number of channels to the nearest multiple of 8, at most a tenth below."""
    scaled = filters * variant.width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded
