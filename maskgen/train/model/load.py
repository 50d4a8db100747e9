"""Load an untrusted Keras model without running its code or reading other files.

Keras's ``safe_mode`` is not enough: older versions of Keras read other files, and a small file can make any
version allocate gigabytes. Checked first, as data: the zip archive, the configuration (`config_check`), the
weights (`weights_file`) and the sizes of the model's arrays. Other formats are refused: an old ``.h5`` model
may contain code.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from maskgen.errors import MissingDataError, ModelError
from maskgen.files.json_text import from_json
from maskgen.keras_runtime import keras, one_line, quietly, require
from maskgen.train.model.config_check import check_config
from maskgen.train.model.weights_file import LARGEST_WEIGHTS, count_numbers

CONFIG, WEIGHTS, SPEC = "config.json", "model.weights.h5", "maskgen.json"
# In bytes. The configuration of the largest model, EfficientNet-B7, has 1 MB.
LARGEST_MEMBERS = {
    CONFIG: 8 << 20,
    WEIGHTS: LARGEST_WEIGHTS + (64 << 20),
    SPEC: 1 << 20,
    "metadata.json": 1 << 20,
}
# Maximum size of a layer's output for one image; EfficientNet-B7 has 17 million numbers at 600 pixels.
LARGEST_OUTPUT = 1 << 28


def load_model(path: Path | str, *, compile: bool = False) -> Any:
    """Load a ``.keras`` file, with its optimizer if `compile`; `ModelError` if it fails a check."""
    require("tensorflow")
    path = Path(path)
    config = check_model_file(path, compiled=compile)
    config.pop("compile_config", None)
    numbers = check_weights(path, read_member(path, WEIGHTS))
    keras()
    with quietly():
        try:
            # Keras keeps its state per thread: a separate thread discards the state of the check.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(_check_size, config, numbers).result()
            return keras().models.load_model(path, compile=compile, safe_mode=True)
        except Exception as error:
            # Keras does not wrap the exceptions of its layers, numpy, h5py and TensorFlow.
            problem = one_line(error)
    raise ModelError(f"{path}: Keras cannot read it: {problem}")


def check_model_file(path: Path, *, compiled: bool = False) -> dict[str, Any]:
    """Check the archive and the configuration of a ``.keras`` file as data; see `check_config`.

    Returns:
        The decoded configuration, without the optimizer unless `compiled`.
    """
    if path.suffix != ".keras":
        raise ModelError(
            f"{path}: only .keras files are opened, because others may contain code; save it as .keras"
        )
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
    """Check the bytes of a weights file, and return its count of numbers."""
    try:
        return count_numbers(data)
    except Exception as error:
        # h5py raises OSError, RuntimeError, KeyError, ValueError and others for damaged files.
        raise ModelError(f"{path}: its weights are not opened: {one_line(error)}") from error


def _check_size(config: dict[str, Any], stored: int) -> None:
    """Build the model without arrays, and compare the size of its weights with the file."""
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


def read_member(path: Path, name: str) -> bytes:
    """Read a member of a ``.keras`` archive; `ModelError` if it is damaged, or Keras did not write it."""
    if not path.is_file():
        raise MissingDataError(f"{path}: this model does not exist")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            return archive.read(name)
    except Exception as error:
        # For damaged archives zipfile raises many types, from struct.error to RuntimeError.
        raise ModelError(f"{path}: not a .keras file: {one_line(error)}") from error


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Check that each member occurs once and uncompressed, so reading it cannot need more memory."""
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ValueError("it has two members with one name")
    for member in members:
        if member.file_size > LARGEST_MEMBERS.get(member.filename, 0):
            raise ValueError(f"its member {member.filename[:80]!r} is none of a model's, or is too large")
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(f"its member {member.filename} is compressed; Keras does not compress members")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members overlap")
