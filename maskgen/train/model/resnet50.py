"""ResNet-50 as PyTorch trains it: "v1.5", whose strides are in the 3x3 convolutions.

K. He et al., "Deep Residual Learning for Image Recognition" (CVPR 2016). The paper, and `ResNet50` of Keras,
have the strides in the 1x1 convolutions before; the weights of torchvision and timm do not fit these.
"""

from typing import Any

from maskgen.keras_runtime import keras
from maskgen.train.model.weights.convention import IMAGENET, TORCH_EPSILON

SIZE = 224
# Blocks, and channels inside of them; four times as many leave a block.
STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))


def resnet50(inputs: Any, weights: str | None) -> Any:
    """Build it from an RGB tensor of 0 to 255 to features, for `Backbone.build`."""
    if weights is not None:
        raise ValueError(f"weights must be None, got {weights!r}: `load_backbone` loads them")
    layers, (mean, deviation) = keras().layers, IMAGENET
    factors = [1 / each / 255 for each in deviation]
    offsets = [-centre / each for centre, each in zip(mean, deviation, strict=True)]
    x = layers.Rescaling(factors, offsets, name="rescaling")(inputs)
    x = _normalized(_convolution(x, 64, 7, 2, "conv1_conv"), "conv1_bn")
    x = layers.ReLU(name="conv1_relu")(x)
    # Zeros do for the padding of a maximum: no number is negative here.
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for number, (blocks, filters) in enumerate(STAGES, start=2):
        for block in range(1, blocks + 1):
            stride = 2 if number > 2 and block == 1 else 1
            x = _block(x, filters, stride, f"conv{number}_block{block}_", projected=block == 1)
    return keras().Model(keras().utils.get_source_inputs(inputs), x)


def _block(inputs: Any, filters: int, stride: int, name: str, projected: bool) -> Any:
    """A bottleneck block; `projected` if its input has another shape than its output."""
    layers, shortcut = keras().layers, inputs
    if projected:
        shortcut = _convolution(inputs, 4 * filters, 1, stride, f"{name}0_conv")
        shortcut = _normalized(shortcut, f"{name}0_bn")
    x = _normalized(_convolution(inputs, filters, 1, 1, f"{name}1_conv"), f"{name}1_bn")
    x = layers.ReLU(name=f"{name}1_relu")(x)
    x = _normalized(_convolution(x, filters, 3, stride, f"{name}2_conv"), f"{name}2_bn")
    x = layers.ReLU(name=f"{name}2_relu")(x)
    x = _normalized(_convolution(x, 4 * filters, 1, 1, f"{name}3_conv"), f"{name}3_bn")
    x = layers.Add(name=f"{name}add")([shortcut, x])
    return layers.ReLU(name=f"{name}out")(x)


def _convolution(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    if kernel > 1:
        x = keras().layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    return keras().layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        use_bias=False,
        kernel_initializer=keras().initializers.VarianceScaling(
            2.0, mode="fan_out", distribution="truncated_normal"
        ),
        name=name,
    )(x)


def _normalized(x: Any, name: str) -> Any:
    return keras().layers.BatchNormalization(epsilon=TORCH_EPSILON, name=name)(x)
