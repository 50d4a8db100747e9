"""Initial weights from files of Keras: a maskgen model, or weights of its applications."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.errors import ModelError
from maskgen.keras_runtime import one_line
from maskgen.train.model.load import check_weights, load_model
from maskgen.train.model.weights.adapt import adapted, is_symmetric, scale_of
from maskgen.train.model.weights.stored_numbers import read_whole
from maskgen.train.model.weights.transfer import is_normalization

IMAGENET_STD = (0.229, 0.224, 0.225)

log = logging.getLogger("maskgen")


def load_keras_model(trunk: Any, path: Path) -> Any:
    """Copy the backbone of a maskgen model, or of a network of ``keras.applications``.

    Its padding and pixel scale are taken over too: they depend on the weights that it began with.
    """
    source = load_model(path)
    trunk = adapted(trunk, is_symmetric(source), scale_of(source))
    try:
        _copy_layers(trunk, source)
    except ValueError as error:
        raise ModelError(f"{path} is no model with this backbone: {one_line(error)}") from error
    return trunk


def load_keras_weights(trunk: Any, path: Path, full: Callable[[], Any] | None) -> Any:
    """Load a weights file of Keras, after checking it as data.

    `full` builds the network with ImageNet's classes, whose weights files Keras calls "with top".
    """
    check_weights(path, read_whole(path))
    try:
        trunk.load_weights(str(path))
        _finalize_normalizations(trunk)
    except Exception as error:
        # Keras does not wrap the exceptions of h5py.
        problem = error
    else:
        return trunk
    try:
        if full is not None:
            network = full()
            network.load_weights(str(path))
            _copy_layers(trunk, network)
            return trunk
    except Exception as error:
        log.debug("%s: with ImageNet's classes: %s", path, one_line(error))
    raise ModelError(
        f"{path}: no weights of this backbone, with or without ImageNet's classes: {one_line(problem)}"
    ) from problem


def _copy_layers(trunk: Any, source: Any) -> None:
    """Copy the weights of a backbone layer by layer; not by name, because Keras renumbers some.

    `ValueError` names the first layer whose shape differs.
    """
    own, other = (
        [layer for layer in model.layers if layer.weights and not is_head(layer)] for model in (trunk, source)
    )
    for layer, from_layer in zip(own, other, strict=False):
        shapes, from_shapes = ([tuple(each.shape) for each in one.weights] for one in (layer, from_layer))
        if shapes != from_shapes:
            raise ValueError(
                f"its layer {from_layer.name} has shapes {from_shapes}, and {layer.name} {shapes}"
            )
        layer.set_weights(from_layer.get_weights())
    # Behind the backbone only ImageNet's classes, with the layer before them.
    surplus = other[len(own) :]
    if len(other) < len(own) or not all(getattr(layer, "use_bias", False) for layer in surplus):
        raise ValueError(f"it has {len(other)} layers with weights, and the backbone {len(own)}")
    _finalize_normalizations(trunk)


def is_head(layer: Any) -> bool:
    """Whether a layer of a maskgen model is behind its backbone."""
    return bool(layer.name.startswith(("head_", "classes")))


def _finalize_normalizations(trunk: Any) -> None:
    """Have the Normalization layers compute with their new weights, of which they keep a copy.

    EfficientNet's weights files hold the standard deviation where the variance belongs. With
    ``weights="imagenet"`` Keras corrects this with an additional layer, which `trunk` does not have.
    """
    for layer in filter(is_normalization, trunk.layers):
        variance = np.asarray(layer.adapt_variance)
        if variance.size == 3 and np.allclose(variance.reshape(-1), IMAGENET_STD, atol=1e-3):
            layer.adapt_variance.assign(variance**2)
        layer.finalize_state()
