"""Rebuild a Keras backbone with the padding and the pixel scale of another convention."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskgen.keras_runtime import keras
from maskgen.train.model.weights.convention import IMAGENET, Channels

Numbers = float | list[float]


@dataclass(frozen=True)
class Scale:
    """Pixels times `factor` plus `offset`, as in a Rescaling layer."""

    factor: Numbers
    offset: Numbers


def scale_for(trunk: Any, pixels: tuple[Channels, Channels]) -> Scale:
    """The first scaling of a backbone, from RGB of 0 to 255, that leaves pixels without `pixels`.

    The scaling may have a Normalization layer behind it, which takes out ImageNet's mean and deviation.
    """
    (mean, deviation), own = pixels, ((0.0,) * 3, (1.0,) * 3)
    if any(isinstance(layer, keras().layers.Normalization) for layer in trunk.layers):
        own = IMAGENET
    channels = list(zip(mean, deviation, *own, strict=True))
    factors = [own_std / std / 255 for _, std, _, own_std in channels]
    return Scale(factors, [own_mean - mean * own_std / std for mean, std, own_mean, own_std in channels])


def scale_of(trunk: Any) -> Scale | None:
    """The first scaling of a backbone, or None if it has none."""
    for layer in trunk.layers:
        if isinstance(layer, keras().layers.Rescaling):
            config = layer.get_config()
            return Scale(config["scale"], config["offset"])
    return None


def is_symmetric(trunk: Any) -> bool:
    """Whether strided convolutions of a backbone are padded as in PyTorch: equally on both sides.

    Keras pads so only where a side is odd; a side that is not known is padded as an even one.
    """
    return any(
        isinstance(layer, keras().layers.ZeroPadding2D)
        and layer.padding[0][0] == layer.padding[0][1]
        and (layer.input.shape[1] or 0) % 2 == 0
        for layer in trunk.layers
    )


def adapted(trunk: Any, symmetric: bool, scale: Scale | None) -> Any:
    """The same backbone with new weights, another padding and another scaling; None keeps the scaling.

    `trunk` itself is returned if it is so already.

    `symmetric` pads strided convolutions equally on both sides, as PyTorch does. TensorFlow's padding "same"
    puts less on the left and on top, so each stride would see the image shifted by a pixel.
    """
    k = keras()
    padded = symmetric and any(_strides_over_same(each) or _is_uneven(each) for each in trunk.layers)
    if not padded and (scale is None or _is_close(scale, scale_of(trunk))):
        return trunk
    first = next((layer.name for layer in trunk.layers if isinstance(layer, k.layers.Rescaling)), None)

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name == first and scale is not None:
            config |= {"scale": scale.factor, "offset": scale.offset}
        elif symmetric and _is_uneven(layer):
            config["padding"] = [(max(sides), max(sides)) for sides in layer.padding]
        elif symmetric and _strides_over_same(layer):
            config["padding"] = "valid"
        return type(layer).from_config(config)

    def call(layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        if symmetric and _strides_over_same(originals.get(layer.name)):
            x = k.layers.ZeroPadding2D(layer.kernel_size[0] // 2, name=f"{layer.name}_pad")(x)
        return layer(x, *args, **kwargs)

    originals = {layer.name: layer for layer in trunk.layers}
    return k.models.clone_model(trunk, trunk.input, clone_function=clone, call_function=call)


def _strides_over_same(layer: Any) -> bool:
    convolutions = (keras().layers.Conv2D, keras().layers.DepthwiseConv2D)
    return isinstance(layer, convolutions) and max(layer.strides) > 1 and layer.padding == "same"


def _is_uneven(layer: Any) -> bool:
    """Whether a layer pads the two sides differently."""
    return isinstance(layer, keras().layers.ZeroPadding2D) and any(one != two for one, two in layer.padding)


def _is_close(one: Scale, other: Scale | None) -> bool:
    return (
        other is not None
        and np.allclose(one.factor, other.factor, rtol=1e-6)
        and np.allclose(one.offset, other.offset, atol=1e-6)
    )
