"""A trained model as a function from images to probabilities, by Keras or by onnxruntime alone."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ConfigurationError, MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import one_line, require
from maskgen.train.model.load import load_model
from maskgen.train.spec import MEMBER, ModelSpec, read_spec

ONNX_INSTALL = "pip install 'maskgen[onnx]'"

# From (n, size, size, 3) float32 RGB to (n, classes).
Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Classifier:
    """A model that is ready to be asked.

    Attributes:
        name: What it is called in tables: the run's folder, or the file's name.
        path: The model file.
        spec: Its classes, and what it is shown of an image.
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
    """What several models are called in tables, no two the same, on file systems that ignore case too.

    A run folder is called by its name, a file by its own without the suffix. Where that is the same, the
    suffix is added, or else the names of the folders around it, the nearest first: "best.keras" and
    "best.onnx" of one run; "a-best" and "b-best" for ``runs/a/best.keras`` and ``runs/b/best.keras``.

    Raises:
        MissingDataError: One is not there.
        UsageError: One is given twice, or two have no names that differ.
    """
    given: dict[Path, Path] = {}
    for path in paths:
        if (file := model_file(path).resolve()) in given:
            raise UsageError(f"{given[file]} and {path} are the same model; give it once")
        given[file] = path
    forms = [list(_names(path)) for path in paths]
    names = [own[0] for own in forms]
    for step in range(1, max(map(len, forms), default=0)):
        counts = Counter(map(str.casefold, names))
        names = [
            own[min(step, len(own) - 1)] if counts[name.casefold()] > 1 else name
            for own, name in zip(forms, names, strict=True)
        ]
    called: dict[str, Path] = {}
    for path, name in zip(paths, names, strict=True):
        if (other := called.setdefault(name.casefold(), path)) is not path:
            raise UsageError(f"{other} and {path} would both be called {name}; rename one of them")
    return names


def _names(path: Path) -> Iterator[str]:
    """The names a model may have, the shortest first."""
    whole = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    short = whole.name if path.is_dir() else whole.stem
    folders = whole.parent.parts[1:]
    for start in range(len(folders), -1, -1):
        for last in (short, whole.name):
            yield "-".join((*folders[start:], last))


def open_classifier(path: Path) -> Classifier:
    """Open a run folder, a ``.keras`` file or an ``.onnx`` file.

    Raises:
        MissingDataError: It is not there.
        MissingExtraError: What runs it is not installed.
        ModelError: It cannot be read.
        ConfigurationError: It is no model of maskgen.
    """
    file = model_file(path)
    spec, run = (_onnx if file.suffix == ".onnx" else _keras)(file)

    def probabilities(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            found = np.asarray(run(images.astype(np.float32)), dtype=np.float32)
        except Exception as error:
            # onnxruntime's and tensorflow's own exceptions have no common base.
            raise ModelError(f"{file}: it cannot be computed: {one_line(error)}") from error
        if found.shape != (len(images), len(spec.classes)):
            raise ModelError(f"{file}: it has {found.shape} outputs for its {len(spec.classes)} classes")
        return found

    if file.suffix == ".onnx":
        # Wrong inputs and sizes show here, before any image is read; Keras's are known without computing.
        probabilities(np.zeros((1, spec.size, spec.size, 3), np.uint8))
    return Classifier(next(_names(path)), file, spec, probabilities)


def _keras(file: Path) -> tuple[ModelSpec, Run]:
    spec, model = read_spec(file), load_model(file)
    shapes = ((None, spec.size, spec.size, 3), (None, len(spec.classes)))
    if (model.input_shape, model.output_shape) != shapes:
        raise ModelError(
            f"{file}: it goes from {model.input_shape} to {model.output_shape}, but says from {shapes[0]} to "
            f"{shapes[1]}"
        )
    return spec, lambda images: np.asarray(model.predict_on_batch(images))


def _onnx(file: Path) -> tuple[ModelSpec, Run]:
    require("onnxruntime", install=ONNX_INSTALL)
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # What it would print is in its exception.
    try:
        session = runtime.InferenceSession(str(file), options, providers=runtime.get_available_providers())
        described = session.get_modelmeta().custom_metadata_map.get(MEMBER)
    except Exception as error:
        raise ModelError(f"{file}: onnxruntime cannot read it: {one_line(error)}") from error
    if described is None:
        raise ModelError(f"{file}: it says nothing of its classes: `maskgen export` did not write it")
    try:
        spec = ModelSpec.from_json(described)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    return spec, lambda images: np.asarray(session.run(None, {session.get_inputs()[0].name: images})[0])
