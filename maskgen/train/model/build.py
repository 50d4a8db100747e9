"""Build a classifier: preprocessing, backbone, pooling and head in one Keras model without lambdas."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.keras_runtime import keras
from maskgen.train.model.backbones import backbone
from maskgen.train.model.weights.keras_file import is_head
from maskgen.train.model.weights.load import load_backbone

# Widths of the dense layers between pooling and the classes; "bn" is a BatchNorm before them. "small" and
# "large" are those of Mosayyebi et al.; 128 and 1024 are common in published gender classifiers.
HEADS: dict[str, tuple[str | int, ...]] = {
    "linear": (),
    "small": ("bn", 256),
    "large": ("bn", 2048, 1024),
    "128": (128,),
    "1024": (1024,),
}
POOL, HEAD_NORM = "head_pool", "head_bn"


def build_model(
    name: str,
    classes: int,
    *,
    size: int | None = None,
    head: str = "linear",
    dropout: float = 0.2,
    weights: str = "imagenet",
) -> Any:
    """Build a classifier: from (batch, size, size, 3), RGB 0 to 255, to probabilities.

    Its layers are not nested; the layers of the backbone keep their Keras names.

    `name` is a key of `maskgen.train.model.backbones.BACKBONES`, `size` by default that of the backbone,
    `head` a key of `HEADS`, and `dropout` the rate before the last layer. `weights` is "imagenet", "none",
    or the path of a file: `maskgen.train.model.weights` lists the kinds.
    """
    k, network = keras(), backbone(name)
    inputs = k.Input((size or network.size, size or network.size, 3), name="rgb")
    trunk = load_backbone(name, inputs, weights)
    x = k.layers.GlobalAveragePooling2D(name=POOL)(trunk.output)
    for number, layer in enumerate(HEADS[head], start=1):
        if layer == "bn":
            x = k.layers.BatchNormalization(name=HEAD_NORM)(x)
        else:
            x = k.layers.Dense(layer, activation="relu", name=f"head_dense{number}")(x)
    x = k.layers.Dropout(dropout, name="head_dropout")(x)
    # float32 under mixed precision too: half floats are too coarse for a softmax.
    outputs = k.layers.Dense(classes, activation="softmax", dtype="float32", name="classes")(x)
    return k.Model(inputs, outputs, name=name.replace("-", "_"))


def freeze_backbone(model: Any) -> None:
    """Phase 1 from pretrained weights: train the head only; a frozen BatchNorm is in inference mode."""
    for layer in model.layers:
        layer.trainable = is_head(layer)


def unfreeze_blocks(model: Any, name: str, count: int | None) -> list[str]:
    """Phase 2: train the head and the last `count` blocks of the backbone, by default all of it.

    The backbone's BatchNorm stays in inference mode. Returns the names of the trainable blocks.
    """
    freeze_backbone(model)
    starts = list(block_starts(model, backbone(name).blocks))
    wanted = len(starts) if count is None else min(count, len(starts))
    if not wanted:
        return []
    # All blocks: also train the stem before the first one.
    first = 0 if wanted == len(starts) else starts[-wanted][1]
    for layer in model.layers[first:]:
        layer.trainable = is_head(layer) or not isinstance(layer, keras().layers.BatchNormalization)
    return [block for block, _ in starts[-wanted:]]


def block_shares(model: Any, name: str, decay: float) -> dict[str, float]:
    """Layer -> share of the learning rate: 1 from the last block on, `decay` less in each before.

    Layer-wise rates for fine-tuning are those of Howard and Ruder, 2018; here a block has one.
    """
    starts = list(block_starts(model, backbone(name).blocks))
    firsts = np.array([index for _, index in starts])
    return {
        layer.name: decay ** max(0, len(starts) - int((firsts <= index).sum()))
        for index, layer in enumerate(model.layers)
        if layer.weights and not is_head(layer)
    }


def split_head(model: Any) -> tuple[Any, Any]:
    """A classifier as two models, which share its layers: from images to features, from these to classes."""
    features = model.get_layer(POOL).output
    return keras().Model(model.inputs, features), keras().Model(features, model.outputs[0])


def renew_batch_norm(model: Any, batches: Iterable[NDArray[Any]]) -> None:
    """Set the statistics of the head's BatchNorm to those of these inputs, if it has one.

    While the backbone changes, its moving averages are those of features that no longer exist.
    """
    norms = [layer for layer in model.layers if layer.name == HEAD_NORM]
    for norm in norms:
        before = keras().Model(model.inputs, norm.input)
        features = np.concatenate([np.asarray(before.predict_on_batch(batch)) for batch in batches])
        norm.moving_mean.assign(features.mean(axis=0))
        norm.moving_variance.assign(features.var(axis=0))


def block_starts(model: Any, pattern: str) -> Iterator[tuple[str, int]]:
    """(block, index of its first layer) of a backbone, in the order of its layers."""
    last = None
    for index, layer in enumerate(model.layers):
        match = re.search(pattern, layer.name)
        if not match or match[1] == last:
            continue
        last = match[1]
        if not pattern.endswith("$"):
            yield last, index
        # The layer ends a block; the next block starts after it, unless the head does.
        elif not model.layers[index + 1].name.startswith("head_"):
            yield str(int(last) + 1), index + 1


def average_over(model: Any, steps: int) -> None:
    """Set the averaging window of every BatchNorm to about half an epoch, from 4 to 100 batches.

    Keras's default of 100 batches is several epochs of a small dataset, and validation would lag behind.
    """
    for layer in model.layers:
        if isinstance(layer, keras().layers.BatchNormalization):
            layer.momentum = min(0.99, max(0.75, 1 - 2 / steps))


def take_weights(model: Any, weights: list[Any]) -> None:
    """Set weights from ``get_weights``, including the state of the Normalization layers."""
    model.set_weights(weights)
    for layer in _normalizations(model):
        # This layer computes with copies of its weights; `set_weights` alone does not update them.
        layer.finalize_state()


def _normalizations(model: Any) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, keras().layers.Normalization)]
