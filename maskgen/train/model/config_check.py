"""Allow-list for the configuration of a Keras model: only layers of maskgen's own models pass.

Keras imports the classes that a configuration names, and some of its layers read files or run code. This file
lists the layers, initializers, words and sizes of all backbones; everything else is refused.
"""

from __future__ import annotations

from typing import Any

from maskgen.errors import ModelError

# Module -> classes, as Keras writes them. The internal modules are Keras 3's own choice.
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
# Keys of free text: names and connections of layers.
NAMES = ("name", "class_name", "module", "registered_name", "keras_history", "input_layers", "output_layers")
IDENTIFIERS = ("shared_object_id", "seed")  # keys of numbers that are not sizes
LONGEST_NAME = 500
LARGEST_NUMBER = 1 << 16
MOST_LAYERS = 5_000


def check_config(config: Any, *, compiled: bool = False) -> None:
    """Raise `ModelError` if a ``config.json`` has a class, word or number that no model of maskgen has.

    `compiled` also allows an optimizer, a loss and metrics, as in a checkpoint.
    """
    parts = {**PARTS, **OPTIMIZERS} if compiled else PARTS
    words = WORDS | COMPILE_WORDS if compiled else WORDS
    layers = 0
    pending = [("", config)]  # (nearest key, value)
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.items())
            if "class_name" in value:
                _check_part(value, parts)
                layers += value.get("module") == "keras.layers"
        elif isinstance(value, list):
            pending.extend((key, each) for each in value)
        elif isinstance(value, str) and (len(value) > LONGEST_NAME if key in NAMES else value not in words):
            raise ModelError(f"{key} {value[:80]!r} is in no model of maskgen")
        elif isinstance(value, (int, float)) and key not in IDENTIFIERS and not abs(value) <= LARGEST_NUMBER:
            raise ModelError(f"{key} is {value:.3g}, more than in any model of maskgen")
    if not isinstance(config, dict) or layers > MOST_LAYERS:
        raise ModelError(f"it is not a model of at most {MOST_LAYERS:,} layers")


def _check_part(part: dict[str, Any], parts: dict[str | None, frozenset[str]]) -> None:
    name, module = part["class_name"], part.get("module")
    registered = part.get("registered_name")
    allowed = isinstance(name, str) and isinstance(module, str | None) and name in parts.get(module, ())
    if not allowed or registered not in (None, name):
        origin = module if registered in (None, name) else registered
        raise ModelError(f"it needs {name!r} of {origin!r}, which no model of maskgen has")
    # This layer alone allocates arrays while it is created; an image has three channels.
    if name == "Normalization":
        channels, axis = part["build_config"]["input_shape"][-1], part["config"]["axis"]
        if channels != 3 or axis not in (-1, 3, [-1], [3]):
            raise ModelError("its Normalization does not have three channels")
