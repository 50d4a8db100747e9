"""A trained model as a function from images to probabilities, run by Keras, onnxruntime or LiteRT."""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ConfigurationError, MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import one_line, require
from maskgen.train.model.calibration import Calibration
from maskgen.train.model.load import load_model
from maskgen.train.model.tflite import open_tflite
from maskgen.train.spec import MEMBER, ModelSpec, read_spec

ONNX_INSTALL = "pip install 'maskgen[onnx]'"

# From (n, size, size, 3) float32 RGB to (n, classes).
Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Classifier:
    """A model ready for inference."""

    name: str  # in tables: that of the run folder, or of the file
    path: Path  # the model file
    spec: ModelSpec
    # From (n, size, size, 3) uint8 RGB to (n, classes) float32.
    probabilities: Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def model_file(path: Path) -> Path:
    """The model file of a path: the file itself, or the best model of a run folder."""
    file = path / "best.keras" if path.is_dir() else path
    if not file.is_file():
        raise MissingDataError(f"{path}: neither a model nor the folder of a run that is done")
    return file


def model_names(paths: Sequence[Path]) -> list[str]:
    """Unique names of several models, also on file systems that ignore case.

    The name is that of the run folder, or of the file without its suffix. Equal names get the suffix, then
    the names of the parent folders, nearest first: "best.keras" and "best.onnx" of one run; "a-best" and
    "b-best" for ``runs/a/best.keras`` and ``runs/b/best.keras``. A model that is given twice is refused.
    """
    path_of_file: dict[Path, Path] = {}
    for path in paths:
        if (file := model_file(path).resolve()) in path_of_file:
            raise UsageError(f"{path_of_file[file]} and {path} are the same model; give it once")
        path_of_file[file] = path
    candidates = [list(_candidate_names(path)) for path in paths]
    names = [own[0] for own in candidates]
    for step in range(1, max(map(len, candidates), default=0)):
        counts = Counter(map(str.casefold, names))
        names = [
            own[min(step, len(own) - 1)] if counts[name.casefold()] > 1 else name
            for own, name in zip(candidates, names, strict=True)
        ]
    path_of_name: dict[str, Path] = {}
    for path, name in zip(paths, names, strict=True):
        if (other := path_of_name.setdefault(name.casefold(), path)) is not path:
            raise UsageError(f"{other} and {path} would have the same name {name}; rename one of them")
    return names


def _candidate_names(path: Path) -> Iterator[str]:
    """Possible names of a model, shortest first."""
    whole = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    folders = whole.parent.parts[1:]
    for start in range(len(folders), -1, -1):
        for last in (whole.name if path.is_dir() else whole.stem, whole.name):
            yield "-".join((*folders[start:], last))


def open_classifier(path: Path) -> Classifier:
    """Open a run folder, or a ``.keras``, ``.onnx`` or ``.tflite`` file; a `MaskgenError` says why not.

    The class that it predicts is the most probable one. For a model of schema 1, the probabilities are moved
    so that its threshold becomes 0.5.
    """
    file = model_file(path)
    exported = {".onnx": _open_onnx, ".tflite": open_tflite}
    spec, run = _with_threshold_outside(*exported.get(file.suffix, _open_keras)(file))

    def probabilities(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            outputs = np.asarray(run(images.astype(np.float32)), dtype=np.float32)
        except Exception as error:
            # The exceptions of onnxruntime and TensorFlow have no common base class.
            raise ModelError(f"{file}: it cannot be computed: {one_line(error)}") from error
        if outputs.shape != (len(images), len(spec.classes)):
            raise ModelError(f"{file}: it has {outputs.shape} outputs for its {len(spec.classes)} classes")
        return outputs

    if file.suffix in exported:
        # Check inputs and sizes before any image is read; `_open_keras` checks them without computing.
        probabilities(np.zeros((1, spec.size, spec.size, 3), np.uint8))
    return Classifier(next(_candidate_names(path)), file, spec, probabilities)


def with_threshold_inside(spec: ModelSpec, model: Any) -> ModelSpec:
    """Write the threshold of a Keras model of schema 1 into its weights; returns the spec without it."""
    if spec.outer_threshold is not None and len(spec.classes) == 2:
        try:
            Calibration.of_threshold(spec.outer_threshold).write_into(model)
        except ValueError as error:
            raise ModelError(f"its last layer is none of `maskgen train`: {one_line(error)}") from error
    return replace(spec, outer_threshold=None)


def _with_threshold_outside(spec: ModelSpec, run: Run) -> tuple[ModelSpec, Run]:
    """Move the probabilities of an exported model of schema 1, whose weights stay as they are."""
    threshold, spec = spec.outer_threshold, replace(spec, outer_threshold=None)
    if threshold is None or len(spec.classes) != 2:
        return spec, run
    calibration = Calibration.of_threshold(threshold)
    return spec, lambda images: calibration.probabilities(run(images))


def _open_keras(file: Path) -> tuple[ModelSpec, Run]:
    spec, model = read_spec(file), load_model(file)
    shapes = ((None, spec.size, spec.size, 3), (None, len(spec.classes)))
    if (model.input_shape, model.output_shape) != shapes:
        raise ModelError(
            f"{file}: it goes from {model.input_shape} to {model.output_shape}; its description says from "
            f"{shapes[0]} to {shapes[1]}"
        )
    spec = with_threshold_inside(spec, model)
    return spec, lambda images: np.asarray(model.predict_on_batch(images))


def _open_onnx(file: Path) -> tuple[ModelSpec, Run]:
    require("onnxruntime", install=ONNX_INSTALL)
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # Its exception has the same text.
    try:
        session = runtime.InferenceSession(str(file), options, providers=runtime.get_available_providers())
        description = session.get_modelmeta().custom_metadata_map.get(MEMBER)
    except Exception as error:
        raise ModelError(f"{file}: onnxruntime cannot read it: {one_line(error)}") from error
    if description is None:
        raise ModelError(f"{file}: it has no description of its classes: `maskgen export` did not write it")
    try:
        spec = ModelSpec.from_json(description)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: {error}") from error

    return spec, lambda images: np.asarray(session.run(None, {session.get_inputs()[0].name: images})[0])
