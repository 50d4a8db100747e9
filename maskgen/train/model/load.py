"""Opens a Keras model that someone else may have made: layers and numbers that lie in its file, and no more.

Keras itself is asked to be careful (``safe_mode``), but its older versions read other files, and a small file
can ask any version for gigabytes. So everything is checked first, as data: the zip archive
(`maskgen.train.model.archive`), the description (`maskgen.train.model.config_check`), the weights
(`maskgen.train.model.weights_file`), and the sizes of the arrays that the model would make. Other formats
are not
opened: an old ``.h5`` model may hold code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from maskgen.errors import ModelError
from maskgen.files.json_text import from_json
from maskgen.keras_runtime import keras, one_line, quietly, require
from maskgen.train.model.archive import CONFIG, WEIGHTS, read_member
from maskgen.train.model.config_check import check_config
from maskgen.train.model.weights_file import count_numbers

# Numbers in one layer's output for one image; EfficientNet-B7 has 17 million at 600 pixels.
LARGEST_OUTPUT = 1 << 28


def load_model(path: Path | str, *, compile: bool = False) -> Any:
    """A Keras model from a ``.keras`` file.

    Args:
        path: The file.
        compile: Whether to restore its optimizer too; otherwise its optimizer is not even looked at.

    Raises:
        MissingExtraError: Keras is not installed.
        ModelError: It is no such file, cannot be read, or has more than maskgen's own models have.
    """
    require("tensorflow")
    path = Path(path)
    config = check_model_file(path, compiled=compile)
    config.pop("compile_config", None)
    numbers = check_weights(path, read_member(path, WEIGHTS))
    keras()
    with quietly():
        try:
            # Keras keeps its state by thread: in one of its own, the trial leaves nothing behind.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(_check_size, config, numbers).result()
            return keras().models.load_model(path, compile=compile, safe_mode=True)
        except Exception as error:
            # Keras raises whatever its layers, numpy, h5py and tensorflow do.
            problem = one_line(error)
    raise ModelError(f"{path}: Keras cannot read it: {problem}")


def check_model_file(path: Path, *, compiled: bool = False) -> dict[str, Any]:
    """Check a ``.keras`` file's archive and description; runs nothing of it.

    Args:
        path: The file.
        compiled: As for `check_config`.

    Returns:
        The description, as JSON values, without its optimizer unless `compiled`.

    Raises:
        ModelError: It is no such file, or is not as `maskgen train` writes them.
    """
    if path.suffix != ".keras":
        raise ModelError(f"{path}: only .keras files are opened, since others may hold code; save it as one")
    try:
        config: dict[str, Any] = from_json(read_member(path, CONFIG))
    except ValueError as error:
        raise ModelError(f"{path}: not a .keras file: {one_line(error)}") from error
    try:
        if not compiled:
            config.pop("compile_config", None)
        check_config(config, compiled=compiled)
    except (ModelError, TypeError, LookupError, AttributeError) as error:
        raise ModelError(f"{path}: not opened: {one_line(error)}") from error
    return config


def check_weights(path: Path, data: bytes) -> int:
    """Check the bytes of a file of weights; returns how many numbers it has.

    Raises:
        ModelError: It is no HDF5 file, or needs more than it holds.
    """
    try:
        return count_numbers(data)
    except Exception as error:
        # h5py raises OSError, RuntimeError, KeyError, ValueError and more for damaged files.
        raise ModelError(f"{path}: its weights are not opened: {one_line(error)}") from error


def _check_size(config: dict[str, Any], stored: int) -> None:
    """Make the model without its arrays, and compare its weights with the numbers in the file."""
    k = keras()
    with k.StatelessScope(initialize_variables=False):
        model = k.saving.deserialize_keras_object(config, safe_mode=True)
        needed = sum(math.prod(weight.shape) for weight in model.weights)
        largest = max(math.prod(filter(None, each.output.shape)) for each in _operations(model))
    if needed > stored:
        raise ModelError(f"its layers have {needed:,} weights, its file only {stored:,}")
    if largest > LARGEST_OUTPUT:
        raise ModelError(f"a layer has {largest:,} outputs for one image, more than {LARGEST_OUTPUT:,}")


def _operations(model: Any) -> Iterator[Any]:
    for each in getattr(model, "operations", None) or model.layers:
        yield from _operations(each) if hasattr(each, "layers") else (each,)
