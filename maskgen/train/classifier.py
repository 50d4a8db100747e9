"""A trained model as a function from pictures to probabilities, by Keras or by onnxruntime alone."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.train.runtime import require
from maskgen.train.safe_model import load_model
from maskgen.train.spec import MEMBER, ModelSpec, read_spec

ONNX_INSTALL = "pip install 'maskgen[onnx]'"


@dataclass(frozen=True)
class Classifier:
    """A model that is ready to be asked.

    Attributes:
        name: What it is called in tables: the run's folder, or the file's name.
        path: The model file.
        spec: Its classes, and what it is shown of a picture.
        probabilities: From (n, size, size, 3) uint8 RGB to (n, classes) float32.
    """

    name: str
    path: Path
    spec: ModelSpec
    probabilities: Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def model_file(path: Path) -> Path:
    """The model a path means: the file itself, or the best model of a run folder.

    Raises:
        MissingDataError: There is none.
    """
    file = path / "best.keras" if path.is_dir() else path
    if not file.is_file():
        raise MissingDataError(f"{path}: neither a model nor the folder of a run that is done")
    return file


def model_names(paths: Sequence[Path]) -> list[str]:
    """Short names for several models, no two the same: of a run its folder's, of a file that without suffix.

    Raises:
        UsageError: A model is given twice.
    """
    whole = [path.resolve() for path in paths]
    twice = next((path for path in whole if whole.count(path) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is given twice")
    names = [path.name if path.is_dir() else path.stem for path in whole]
    # Longer ones, for those that are still the same: run-best, run-best.onnx, and at last the whole path.
    longer = (
        [f"{path.parent.name}-{name}" for path, name in zip(whole, names, strict=True)],
        [f"{path.parent.name}-{path.name}" for path in whole],
        ["-".join(path.parts[1:]) for path in whole],
    )
    for others in longer:
        count = Counter(names)
        names = [other if count[name] > 1 else name for name, other in zip(names, others, strict=True)]
    return names


def open_classifier(path: Path) -> Classifier:
    """Open a run folder, a ``.keras`` file or an ``.onnx`` file.

    Raises:
        MissingDataError: It is not there.
        MissingExtraError: What runs it is not installed.
        ModelError: It cannot be read.
        ConfigurationError: It is no model of maskgen.
    """
    file = model_file(path)
    name = path.resolve().name if path.is_dir() else file.stem
    if file.suffix == ".onnx":
        spec, run = _onnx(file)
    else:
        spec, run = read_spec(file), _keras(file)
    return Classifier(name, file, spec, run)


def _keras(file: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    model = load_model(file)

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(model.predict_on_batch(images.astype(np.float32)), dtype=np.float32)

    return run


def _onnx(file: Path) -> tuple[ModelSpec, Callable[[NDArray[np.uint8]], NDArray[np.float32]]]:
    require("onnxruntime", install=ONNX_INSTALL)
    runtime: Any = importlib.import_module("onnxruntime")
    try:
        session = runtime.InferenceSession(str(file), providers=runtime.get_available_providers())
    except Exception as error:
        # onnxruntime's own exceptions have no common base that it exports.
        raise ModelError(f"{file}: onnxruntime cannot read it: {error}") from error
    described = session.get_modelmeta().custom_metadata_map.get(MEMBER)
    if described is None:
        raise ModelError(f"{file}: it says nothing of its classes: `maskgen export` did not write it")
    name = session.get_inputs()[0].name

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {name: images.astype(np.float32)})[0], dtype=np.float32)

    return ModelSpec.from_json(described), run
