"""The description of a Keras model as data: only layers that maskgen's own models have are let through.

Keras looks up what a description names, and some of its own layers read files or run code. So the layers,
initializers, words and sizes of all backbones are listed here, and everything else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from maskgen.errors import ModelError

# Module -> classes, as Keras writes them. Keras 3 itself names the internal modules.
PARTS: dict[str | None, frozenset[str]] = {
    "keras.layers": frozenset(
        (
            *("Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D"),
            *("Dense", "DepthwiseConv2D", "Dropout", "GlobalAveragePooling2D", "InputLayer"),
            *("MaxPooling2D", "Multiply", "Normalization", "ReLU", "Rescaling", "Reshape", "ZeroPadding2D"),
        )
    ),
    "keras.initializers": frozenset(("GlorotUniform", "Ones", "VarianceScaling", "Zeros")),
    "keras": frozenset(("DTypePolicy", "Functional", "Sequential")),
    "keras.src.models.functional": frozenset(("Functional",)),
    "keras.src.ops.numpy": frozenset(("Add", "Multiply")),
    None: frozenset(("__keras_tensor__",)),
}
OPTIMIZERS: dict[str | None, frozenset[str]] = {
    "keras.optimizers": frozenset(("Adam", "AdamW", "LossScaleOptimizer", "RMSprop", "SGD"))
}

WORDS = frozenset(
    (
        *("hard_silu", "hard_swish", "linear", "relu", "sigmoid", "silu", "softmax", "swish"),
        *("float16", "float32", "mixed_float16", "channels_last", "same", "valid"),
        *("fan_avg", "fan_in", "fan_out", "truncated_normal", "uniform"),
    )
)
COMPILE_WORDS = frozenset(("sparse_categorical_crossentropy", "accuracy", "auto", "sum_over_batch_size"))
# Free text: what a part is called, and who is connected to whom.
NAMES = ("name", "class_name", "module", "registered_name", "keras_history", "input_layers", "output_layers")

# Numbers that say nothing of a size.
IDENTIFIERS = ("shared_object_id", "seed")

LONGEST_NAME = 500
LARGEST_NUMBER = 1 << 16
MOST_LAYERS = 5_000


def check_config(config: Any, *, compiled: bool = False) -> None:
    """Check a model's description, as JSON values, before Keras sees it.

    Args:
        config: The value of ``config.json``.
        compiled: Whether it may name an optimizer, a loss and metrics, as a checkpoint does.

    Raises:
        ModelError: It has a part, a word or a number that no model of maskgen has.
    """
    parts = {**PARTS, **OPTIMIZERS} if compiled else PARTS
    words = WORDS | COMPILE_WORDS if compiled else WORDS
    layers = 0
    for key, value in _values(config):
        if isinstance(value, dict) and "class_name" in value:
            _check_part(value, parts)
            layers += value.get("module") == "keras.layers"
        elif isinstance(value, str) and (len(value) > LONGEST_NAME if key in NAMES else value not in words):
            raise ModelError(f"{key} {value[:80]!r} is in no model of maskgen")
        elif isinstance(value, (int, float)) and key not in IDENTIFIERS and not abs(value) <= LARGEST_NUMBER:
            raise ModelError(f"{key} is {value:.3g}, more than in any model of maskgen")
    if not isinstance(config, dict) or layers > MOST_LAYERS:
        raise ModelError(f"it is no model of at most {MOST_LAYERS:,} layers")


def _check_part(part: dict[str, Any], parts: dict[str | None, frozenset[str]]) -> None:
    name, module = part["class_name"], part.get("module")
    registered = part.get("registered_name")
    known = isinstance(name, str) and isinstance(module, str | None) and name in parts.get(module, ())
    if not known or registered not in (None, name):
        named = module if registered in (None, name) else registered
        raise ModelError(f"it needs {name!r} of {named!r}, which no model of maskgen has")
    # This layer alone computes with arrays while it is made; an image has three channels.
    if name == "Normalization":
        channels, axis = part["build_config"]["input_shape"][-1], part["config"]["axis"]
        if channels != 3 or axis not in (-1, 3, [-1], [3]):
            raise ModelError("its Normalization is not one of three channels")


def _values(config: Any) -> Iterator[tuple[str, Any]]:
    """(nearest key, value) of every value in a JSON value, however deep."""
    waiting = [("", config)]
    while waiting:
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, dict):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((key, each) for each in value)
