"""Put the arrays of a PyTorch state dict into the layers of a Keras backbone of the same architecture."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ModelError
from maskgen.keras_runtime import keras
from maskgen.train.model.weights.state_dict import PARAMETERS, TorchLayer, natural

# Layers behind the backbone, from its features to ImageNet's classes.
_CLASSIFIER = re.compile(r"(_fc|fc|head|head\.fc|conv_head|classifier(\.\d)?)")


def transfer(trunk: Any, sources: Sequence[TorchLayer], epsilon: float | None = None) -> list[TorchLayer]:
    """Set the weights of a backbone from the layers of a state dict; returns those left: its classifier.

    Layers are matched in order and compared by shape. `epsilon` is that of the BatchNorms of the PyTorch
    network, by default the same as that of `trunk`; the difference goes into their scale, so that the
    backbone computes the same.

    `ModelError` names the first layer that does not fit, with both shapes.
    """
    targets = [layer for layer in trunk.layers if layer.weights and not is_normalization(layer)]
    if targets[0].name == "conv1_conv":
        # A ResNet's branches alternate in Keras's order; `state_dict` has a block's shortcut first.
        targets.sort(key=lambda layer: natural(layer.name.replace("bn", "norm")))
    for number, target in enumerate(targets):
        if number == len(sources):
            raise ModelError(
                f"it has {len(sources)} layers, and the backbone {len(targets)}: there is none for "
                f"{target.name} of shape {_shape(target.get_weights())}"
            )
        target.set_weights(_converted(sources[number], target, epsilon))
    left = list(sources[len(targets) :])
    if surplus := [layer.name for layer in left if not _CLASSIFIER.fullmatch(layer.name)]:
        raise ModelError(f"it has {len(surplus)} layers more than the backbone, from {surplus[0][:80]} on")
    return left


def is_normalization(layer: Any) -> bool:
    """Whether a layer normalizes the input image: it is no part of a state dict."""
    return isinstance(layer, keras().layers.Normalization)


def _converted(source: TorchLayer, target: Any, epsilon: float | None) -> list[NDArray[Any]]:
    """The arrays of a layer, in the order and layout of Keras."""
    arrays, k = source.arrays, keras().layers
    is_norm = isinstance(target, k.BatchNormalization) and source.is_norm
    converted = [arrays[name] for name in PARAMETERS if name in arrays]
    if not is_norm and converted and converted[0].ndim == 4:
        # (out, in, height, width) to (height, width, in, out); depthwise, "in" is 1 and comes last.
        order = (2, 3, 0, 1) if isinstance(target, k.DepthwiseConv2D) else (2, 3, 1, 0)
        converted[0] = converted[0].transpose(order)
    expected = [tuple(weight.shape) for weight in target.weights]
    if [array.shape for array in converted] != expected:
        raise ModelError(
            f"the layer {source.name[:80]} has shape {_shape(converted)} in Keras's order, and {target.name} "
            f"of the backbone {_shape(target.get_weights())}"
        )
    if is_norm and epsilon is not None:
        with np.errstate(invalid="ignore"):
            variance = converted[3].astype(np.float64)
            converted[0] = converted[0] * np.sqrt((variance + target.epsilon) / (variance + epsilon))
    if not all(np.isfinite(array).all() for array in converted):
        raise ModelError(f"the layer {source.name[:80]} has numbers that are not finite")
    return converted


def _shape(arrays: Sequence[NDArray[Any]]) -> str:
    return " and ".join("x".join(map(str, array.shape)) for array in arrays)
