"""A classifier: preprocessing, backbone, pooling and head in one Keras model without lambdas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import keras, one_line
from maskgen.train.model.backbones import Backbone, backbone
from maskgen.train.model.load import check_weights, load_model

# Width of the layers between pooling and the classes; "bn" is a BatchNorm in front of them. The first two are
# the two heads of Mosayyebi et al.; 128 and 1024 are common in published gender classifiers.
HEADS: dict[str, tuple[str | int, ...]] = {
    "small": ("bn", 256),
    "large": ("bn", 2048, 1024),
    "128": (128,),
    "1024": (1024,),
}

IMAGENET_STD = (0.229, 0.224, 0.225)


def build_model(
    name: str,
    classes: int,
    *,
    size: int | None = None,
    head: str = "small",
    dropout: float = 0.2,
    weights: str = "imagenet",
) -> Any:
    """Make a classifier.

    Args:
        name: A key of `maskgen.train.model.backbones.BACKBONES`.
        classes: How many there are; two or more.
        size: Side of its images; the backbone's own by default.
        head: A key of `HEADS`.
        dropout: Before the classes.
        weights: "imagenet", "none", or the path of a ``.keras`` model with this backbone or a weights file.

    Returns:
        A Keras model from (batch, size, size, 3), RGB 0 to 255, to probabilities. Its layers are flat, and
        its backbone's layers have the names Keras gives them.

    Raises:
        UsageError: A name does not exist, or there are no such weights.
        ModelError: The weights cannot be fetched or read.
    """
    k = keras()
    chosen = backbone(name)
    if head not in HEADS:
        raise UsageError(f"head must be one of {', '.join(HEADS)}, got {head!r}")
    side = size or chosen.size
    inputs = k.Input((side, side, 3), name="rgb")
    x = k.layers.Rescaling(1 / 127.5, offset=-1, name="to_signed")(inputs) if chosen.signed else inputs
    trunk = _trunk(chosen, name, x, weights)
    x = k.layers.GlobalAveragePooling2D(name="head_pool")(trunk.output)
    for number, layer in enumerate(HEADS[head], start=1):
        if layer == "bn":
            x = k.layers.BatchNormalization(name="head_bn")(x)
        else:
            x = k.layers.Dense(layer, activation="relu", name=f"head_dense{number}")(x)
    x = k.layers.Dropout(dropout, name="head_dropout")(x)
    # float32 also under mixed precision: half floats are too coarse for a softmax.
    outputs = k.layers.Dense(classes, activation="softmax", dtype="float32", name="classes")(x)
    model = k.Model(inputs, outputs, name=name.replace("-", "_"))
    if weights.endswith(".keras"):
        _take_over(model, weights)
    return model


def freeze_backbone(model: Any) -> None:
    """Phase 1 with given weights: only the head learns; a frozen BatchNorm is in inference mode."""
    for layer in model.layers:
        layer.trainable = layer.name.startswith("head_") or layer.name == "classes"


def train_everything(model: Any) -> None:
    """Phase 1 without given weights: all learns, BatchNorm included."""
    for layer in model.layers:
        layer.trainable = True


def unfreeze_blocks(model: Any, name: str, count: int | None) -> list[str]:
    """Phase 2: the head and the last blocks of the backbone learn, its BatchNorm stays in inference mode.

    Args:
        model: From `build_model`.
        name: Its backbone.
        count: How many blocks; None for the later half of them, and at most all.

    Returns:
        The names of the blocks that learn now.
    """
    freeze_backbone(model)
    starts = list(block_starts(model, backbone(name).blocks))
    wanted = (len(starts) + 1) // 2 if count is None else min(count, len(starts))
    if not wanted:
        return []
    # Everything learns with all blocks, the stem before the first one included.
    first = 0 if wanted == len(starts) else starts[-wanted][1]
    frozen = {id(layer) for layer in batch_norms(model)}
    for layer in model.layers[first:]:
        if not layer.name.startswith("head_") and id(layer) not in frozen:
            layer.trainable = True
    return [block for block, _ in starts[-wanted:]]


def block_starts(model: Any, pattern: str) -> Iterator[tuple[str, int]]:
    """(block, index of its first layer) of a backbone, in the order of its layers."""
    last = None
    for index, layer in enumerate(model.layers):
        found = re.search(pattern, layer.name)
        if not found or found[1] == last:
            continue
        last = found[1]
        if not pattern.endswith("$"):
            yield last, index
        # The layer is a joint that ends a block: the next one begins behind it, unless the head does.
        elif not model.layers[index + 1].name.startswith("head_"):
            yield str(int(last) + 1), index + 1


def average_over(model: Any, steps: int) -> None:
    """Let every BatchNorm average over about half an epoch, and over 4 to 100 batches.

    Keras's 100 are several epochs of a small dataset, and validation would not see what is learnt.
    """
    for layer in model.layers:
        if isinstance(layer, keras().layers.BatchNormalization):
            layer.momentum = min(0.99, max(0.75, 1 - 2 / steps))


def batch_norms(model: Any) -> list[Any]:
    """The backbone's BatchNorm layers."""
    kind = keras().layers.BatchNormalization
    return [layer for layer in model.layers if isinstance(layer, kind) and not layer.name.startswith("head_")]


def _trunk(chosen: Backbone, name: str, x: Any, weights: str) -> Any:
    if weights == "imagenet":
        if not chosen.pretrained:
            raise UsageError(f"{name} has no ImageNet weights: give --weights none, or the path of a model")
        try:
            return chosen.build(x, "imagenet")
        except Exception as error:
            # Keras lets through whatever urllib, ssl or h5py raise.
            raise ModelError(
                f"the ImageNet weights of {name} cannot be fetched or read: {error}. Give --weights PATH "
                "with a file from https://storage.googleapis.com/keras-applications/ (the one whose name "
                "ends in notop), or put it into ~/.keras/models, or give --weights none to train from scratch"
            ) from error
    trunk = chosen.build(x, None)
    if weights not in ("none", "imagenet") and not weights.endswith(".keras"):
        _load_file(trunk, Path(weights))
    return trunk


def _load_file(trunk: Any, path: Path) -> None:
    if not path.is_file():
        raise MissingDataError(f"--weights {path}: there is no such file; or give imagenet or none")
    if path.suffix not in (".h5", ".hdf5"):
        raise ModelError(f"--weights {path}: give a .keras, .h5 or .weights.h5 file, or imagenet or none")
    check_weights(path, path.read_bytes())
    try:
        trunk.load_weights(str(path))
    except Exception as error:
        raise ModelError(f"{path}: no weights of this backbone without its top: {one_line(error)}") from error
    _correct_normalization(trunk)


def take_weights(model: Any, weights: list[Any]) -> None:
    """Give a model weights that are another's of the same kind; its Normalization computes with them at once.

    Args:
        model: From `build_model`.
        weights: As Keras's ``get_weights`` lists them.
    """
    model.set_weights(weights)
    for layer in model.layers:
        if isinstance(layer, keras().layers.Normalization):
            # Keras computes with copies, which it draws from the weights only when they come from a file.
            layer.finalize_state()


def _correct_normalization(model: Any) -> None:
    """EfficientNet's files hold ImageNet's standard deviation where Keras expects its square.

    For `weights="imagenet"` Keras makes up for it with one more layer, also in the models that were trained
    from there; here the number itself is put right.
    """
    for layer in model.layers:
        if not isinstance(layer, keras().layers.Normalization):
            continue
        held = np.asarray(layer.adapt_variance).reshape(-1)
        if held.shape == (3,) and np.allclose(held, IMAGENET_STD, atol=1e-3):
            layer.adapt_variance.assign(np.asarray(layer.adapt_variance) ** 2)
        layer.finalize_state()


def _take_over(model: Any, path: str) -> None:
    """The backbone's weights from another of our models, layer after layer; the head stays new."""
    if not Path(path).is_file():
        raise MissingDataError(f"--weights {path}: there is no such file; or give imagenet or none")
    own, given = _weighted(model), _weighted(load_model(path))
    if [_shapes(layer) for layer in own] != [_shapes(layer) for layer in given]:
        raise ModelError(f"{path} is no model with this backbone: its layers have other shapes")
    for layer, other in zip(own, given, strict=True):
        layer.set_weights(other.get_weights())
    _correct_normalization(model)


def _weighted(model: Any) -> list[Any]:
    """The backbone's layers that have weights. Their names say nothing: Keras numbers some anew each time."""
    heads = ("head_", "classes")
    return [layer for layer in model.layers if layer.weights and not layer.name.startswith(heads)]


def _shapes(layer: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
