"""Initial weights from files of Keras: a maskgen model, or weights of its applications."""

from pathlib import Path
from typing import Any

import numpy as np

from maskgen.errors import ModelError
from maskgen.keras_runtime import one_line
from maskgen.train.model.load import check_weights, load_model
from maskgen.train.model.weights.adapt import adapted, is_symmetric, scale_of
from maskgen.train.model.weights.transfer import is_normalization

IMAGENET_STD = (0.229, 0.224, 0.225)


def load_keras_model(trunk: Any, path: Path) -> Any:
    """Copy the backbone of a maskgen model, layer by layer; not by name, because Keras renumbers some.

    Its padding and pixel scale are taken over too: they depend on the weights that it began with.
    """
    source = load_model(path)
    trunk = adapted(trunk, is_symmetric(source), scale_of(source))
    own, other = (
        [layer for layer in model.layers if layer.weights and not is_head(layer)] for model in (trunk, source)
    )
    try:
        for layer, source in zip(own, other, strict=True):
            layer.set_weights(source.get_weights())
    except ValueError as error:
        raise ModelError(f"{path} is no model with this backbone: the shapes of its layers differ") from error
    _finalize_normalizations(trunk)
    return trunk


def load_keras_weights(trunk: Any, path: Path) -> Any:
    """Load a weights file of Keras, after checking it as data."""
    check_weights(path, path.read_bytes())
    try:
        trunk.load_weights(str(path))
    except Exception as error:
        raise ModelError(
            f"{path}: no weights of this backbone without its head: {one_line(error)}"
        ) from error
    _finalize_normalizations(trunk)
    return trunk


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
