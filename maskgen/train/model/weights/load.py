"""Build a backbone with its initial weights."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import keras, one_line
from maskgen.train.model.backbones import backbone
from maskgen.train.model.weights.adapt import adapted, scale_for
from maskgen.train.model.weights.convention import IMAGENET, convention_of
from maskgen.train.model.weights.keras_file import load_keras_model, load_keras_weights
from maskgen.train.model.weights.lite0_package import lite0_file
from maskgen.train.model.weights.safetensors_file import read_safetensors
from maskgen.train.model.weights.state_dict import torch_layers
from maskgen.train.model.weights.torch_file import read_torch_file
from maskgen.train.model.weights.transfer import is_normalization, transfer

READERS = {
    **dict.fromkeys((".pth", ".pt", ".bin"), read_torch_file),
    ".safetensors": read_safetensors,
}
KERAS = (".h5", ".hdf5")
LITE0 = "efficientnet_lite0"

log = logging.getLogger("maskgen")


def load_backbone(name: str, inputs: Any, weights: str) -> Any:
    """Build a backbone on a tensor of RGB from 0 to 255, without pooling.

    `weights` is "imagenet", "none", or the path of a file; `maskgen.train.model.weights` lists the kinds.
    """
    if weights == "imagenet" and name == LITE0:
        weights = str(lite0_file())
    if weights == "imagenet":
        return _imagenet(name, inputs)
    trunk, path = _build(name, inputs, None), Path(weights)
    if weights == "none":
        return trunk
    if not path.is_file():
        raise MissingDataError(f"--weights {path}: no such file; give a file, imagenet or none")
    if path.suffix == ".keras":
        return load_keras_model(trunk, path)
    if path.suffix in KERAS:
        return load_keras_weights(trunk, path)
    if path.suffix in READERS:
        return _load_state_dict(trunk, name, path)
    kinds = ", ".join((".keras", *KERAS, *READERS))
    raise ModelError(f"--weights {path}: give a file of one of the kinds {kinds}, or imagenet or none")


def _build(name: str, inputs: Any, weights: str | None) -> Any:
    network = backbone(name)
    if network.signed:
        inputs = keras().layers.Rescaling(1 / 127.5, offset=-1, name="to_signed")(inputs)
    return network.build(inputs, weights)


def _imagenet(name: str, inputs: Any) -> Any:
    if not backbone(name).pretrained:
        raise UsageError(f"{name} has no ImageNet weights: give --weights none, or the path of a file")
    try:
        return _build(name, inputs, "imagenet")
    except Exception as error:
        # Keras does not wrap the exceptions of urllib, ssl and h5py.
        raise ModelError(
            f"the ImageNet weights of {name} cannot be downloaded or read: {error}. Give --weights PATH "
            "with a file from https://storage.googleapis.com/keras-applications/ (its name ends in "
            "notop), copy that file to ~/.keras/models, or train from scratch with --weights none"
        ) from error


def _load_state_dict(trunk: Any, name: str, path: Path) -> Any:
    """Load a PyTorch state dict into a backbone that is padded and scaled as the network was in training."""
    state = READERS[path.suffix](path)
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
