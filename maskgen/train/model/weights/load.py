"""Build a backbone with its initial weights."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.errors import ModelError
from maskgen.keras_runtime import keras, one_line
from maskgen.train.model.backbones import backbone
from maskgen.train.model.weights.adapt import adapted, scale_for
from maskgen.train.model.weights.convention import IMAGENET, convention_of
from maskgen.train.model.weights.imagenet import check_weights_exist, imagenet_download, unavailable
from maskgen.train.model.weights.keras_file import load_keras_model, load_keras_weights
from maskgen.train.model.weights.kinds import KERAS, LITE0, MODEL, STATE_DICTS
from maskgen.train.model.weights.lite0_package import lite0_file
from maskgen.train.model.weights.state_dict import torch_layers
from maskgen.train.model.weights.transfer import is_normalization, transfer

log = logging.getLogger("maskgen")


def load_backbone(name: str, inputs: Any, weights: str) -> Any:
    """Build a backbone on a tensor of RGB from 0 to 255, without pooling.

    `weights` is "imagenet", "none", or the path of a file; `maskgen.train.model.weights` lists the kinds.
    """
    if weights == "none":
        return _build(name, inputs, None)
    if weights != "imagenet":
        check_weights_exist(name, weights)
        path = Path(weights)
    elif name == LITE0:
        path = lite0_file()
    else:
        download = imagenet_download(name)
        try:
            if download.file.suffix != ".pth":
                return _build(name, inputs, "imagenet")
            path = Path(keras().utils.get_file(origin=download.url, cache_subdir="models"))
        except Exception as error:
            # Keras does not wrap the exceptions of urllib, ssl and h5py.
            raise unavailable(name, download, one_line(error)) from error
    trunk, suffix = _build(name, inputs, None), path.suffix.lower()
    if suffix == MODEL:
        return load_keras_model(trunk, path)
    if suffix in KERAS:
        return load_keras_weights(trunk, path, backbone(name).full)
    return _load_state_dict(trunk, name, path)


def _build(name: str, inputs: Any, weights: str | None) -> Any:
    network = backbone(name)
    if network.signed:
        inputs = keras().layers.Rescaling(1 / 127.5, offset=-1, name="to_signed")(inputs)
    return network.build(inputs, weights)


def _load_state_dict(trunk: Any, name: str, path: Path) -> Any:
    """Load a PyTorch state dict into a backbone that is padded and scaled as the network was in training."""
    state = STATE_DICTS[path.suffix.lower()](path)
    try:
        naming, layers = torch_layers(state)
        convention = convention_of(naming, name, path)
        trunk = adapted(trunk, convention.symmetric, scale_for(trunk, convention.pixels))
        transfer(trunk, layers, convention.epsilon)
    except ModelError as error:
        raise ModelError(f"{path}: not the weights of {name}: {one_line(error)}") from error
    for layer in filter(is_normalization, trunk.layers):
        if layer.weights:
            mean, deviation = map(np.array, IMAGENET)
            layer.adapt_mean.assign(mean.reshape(layer.adapt_mean.shape))
            layer.adapt_variance.assign(deviation.reshape(layer.adapt_variance.shape) ** 2)
            layer.finalize_state()
    log.log(
        logging.INFO if convention.certain else logging.WARNING,
        "%s: read as trained with %s%s",
        path,
        convention,
        "" if convention.certain else "; if TensorFlow trained it, the file's name must contain tf_" + name,
    )
    return trunk
