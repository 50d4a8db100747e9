"""Build a backbone with its initial weights."""

from pathlib import Path
from typing import Any

from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import one_line
from maskgen.train.model.backbones import backbone
from maskgen.train.model.weights.keras_file import copy_backbone, load_keras_weights
from maskgen.train.model.weights.lite0_package import lite0_file
from maskgen.train.model.weights.torch_file import read_torch_file
from maskgen.train.model.weights.transfer import transfer

TORCH = (".pth", ".pt", ".bin")
LITE0 = "efficientnet_lite0"


def load_backbone(name: str, inputs: Any, weights: str) -> Any:
    """Build a backbone on an input tensor; `weights` is "imagenet", "none", or the path of a file."""
    network = backbone(name)
    if weights == "none":
        return network.build(inputs, None)
    if weights == "imagenet" and name == LITE0:
        weights = str(lite0_file())
    if weights == "imagenet":
        if not network.pretrained:
            raise UsageError(f"{name} has no ImageNet weights: give --weights none, or the path of a file")
        try:
            return network.build(inputs, "imagenet")
        except Exception as error:
            # Keras does not wrap the exceptions of urllib, ssl and h5py.
            raise ModelError(
                f"the ImageNet weights of {name} cannot be downloaded or read: {error}. Give --weights PATH "
                "with a file from https://storage.googleapis.com/keras-applications/ (its name ends in "
                "notop), copy that file to ~/.keras/models, or train from scratch with --weights none"
            ) from error
    path = Path(weights)
    if not path.is_file():
        raise MissingDataError(f"--weights {path}: no such file; give a file, imagenet or none")
    trunk = network.build(inputs, None)
    if path.suffix == ".keras":
        copy_backbone(trunk, path)
    elif path.suffix in (".h5", ".hdf5"):
        load_keras_weights(trunk, path)
    elif path.suffix in TORCH:
        state = read_torch_file(path)
        try:
            transfer(trunk, state)
        except ModelError as error:
            raise ModelError(f"{path}: not the weights of {name}: {one_line(error)}") from error
    else:
        raise ModelError(
            f"--weights {path}: give a .keras, .h5, .weights.h5 or .pth file, or imagenet or none"
        )
    return trunk
