"""A TFLite file of `maskgen export`, run by LiteRT alone.

Its description lies in a zip archive behind the model, where TFLite does not look.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ConfigurationError, ModelError
from maskgen.keras_runtime import one_line, quietly
from maskgen.process import usable_cores
from maskgen.train.spec import MEMBER, ModelSpec

LARGEST_DESCRIPTION = 1 << 20


def with_description(content: bytes, spec: ModelSpec) -> bytes:
    """A TFLite file with the specification and the labels, packed as TFLite's own metadata library does."""
    file = io.BytesIO()
    file.write(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER), spec.to_json())
        archive.writestr(zipfile.ZipInfo("labels.txt"), "\n".join(spec.classes) + "\n")
    return file.getvalue()


def open_tflite(
    file: Path,
) -> tuple[ModelSpec, Callable[[NDArray[np.float32]], NDArray[np.float32]]]:
    """The specification of a ``.tflite`` file, and its function from RGB images to probabilities.

    The function goes from (n, size, size, 3) to (n, classes), both float32. A `ModelError` or a
    `ConfigurationError` says why the file cannot be used.
    """
    spec = _read_description(file)
    try:
        with quietly():
            from ai_edge_litert.interpreter import Interpreter

            interpreter: Any = Interpreter(model_path=str(file), num_threads=usable_cores())
            interpreter.allocate_tensors()
        (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    except Exception as error:
        # LiteRT raises ValueError and RuntimeError, and what unpacking raises.
        raise ModelError(f"{file}: LiteRT cannot read it: {one_line(error)}") from error

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        if interpreter.get_input_details()[0]["shape"][0] != len(images):
            interpreter.resize_tensor_input(source["index"], images.shape)
            with quietly():
                interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], images)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(target["index"]))

    return spec, run


def _read_description(file: Path) -> ModelSpec:
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.getinfo(MEMBER).file_size > LARGEST_DESCRIPTION:
                raise ValueError("its description is larger than any of maskgen")
            description = archive.read(MEMBER).decode()
    except Exception as error:
        # For damaged archives zipfile raises many types, from struct.error to RuntimeError.
        raise ModelError(
            f"{file}: it has no description of its classes: `maskgen export` did not write it, or it is "
            "damaged"
        ) from error
    try:
        return ModelSpec.from_json(description)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: {error}") from error
