"""A trained model for other programs: SavedModel, TFLite or ONNX, checked against Keras on real images."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import MaskgenError, MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import keras, one_line, quietly, require, tensorflow
from maskgen.train.data.model_input import inspect, shown
from maskgen.train.model.classifier import ONNX_INSTALL, Run, model_file, with_threshold_inside
from maskgen.train.model.load import load_model
from maskgen.train.spec import MEMBER, ModelSpec, read_spec

SUFFIXES = {"savedmodel": "_savedmodel", "tflite": ".tflite", "onnx": ".onnx"}
# Of a probability: the last digit that `predict` prints. Measured where outputs vary: rounding gives up to
# 3e-5, and 3e-4 in inception_v3 (Keras against itself in float64: 1e-4); half floats give 2e-3 or more.
LARGEST_DIFFERENCE = 1e-3
OPSET = 15


class Exported(NamedTuple):
    """A written model, which agrees with Keras."""

    path: Path  # the file, or the folder of a SavedModel
    difference: float  # the largest difference of a probability from Keras's
    images: int  # number of compared images


def export(model: Path, format: str, samples: Sequence[Path], out: Path | None = None) -> Exported:
    """Write a model in another format; refuse it if it differs from Keras by over `LARGEST_DIFFERENCE`.

    Classes, size and crop go with it: inside an ONNX or TFLite file, beside a SavedModel. After an
    error, what was at `out` before is kept.

    The model is a run folder or a ``.keras`` file, `samples` are real images to compare on, and `out` is the
    file or folder to write, by default beside the model.
    """
    if format not in FORMATS:
        raise UsageError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    require("tensorflow")
    file = model_file(model)
    spec = read_spec(file)
    target = out or file.with_name(file.stem + SUFFIXES[format])
    if format != "savedmodel" and target.is_dir():
        raise UsageError(f"{target} is a folder: give the name of a file as --out")
    if format == "savedmodel" and target.exists() and not (target / "saved_model.pb").is_file():
        raise UsageError(f"{target} is there and is no SavedModel: give another --out")
    images = np.stack([_input_image(path, spec.size) for path in samples])
    own = load_model(file)
    spec = with_threshold_inside(spec, own)
    expected = np.asarray(own.predict_on_batch(images))
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".unfinished-{target.name}")
    _remove(unfinished)
    try:
        difference = _write(FORMATS[format], own, spec, unfinished, images, expected)
        if not difference <= LARGEST_DIFFERENCE:
            raise ModelError(
                f"{file} as {format} differs from Keras by {difference:.2g} on {len(images)} images, more "
                f"than {LARGEST_DIFFERENCE:g}: nothing is written; please report this"
            )
        _remove(target)
        unfinished.replace(target)
    finally:
        _remove(unfinished)
    return Exported(target, difference, len(images))


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)  # does nothing to a file or a link
    path.unlink(missing_ok=True)


def _write(
    write: Write, model: Any, spec: ModelSpec, path: Path, images: NDArray[np.float32], expected: Any
) -> float:
    """Write a format to `path`, and return the largest difference of its outputs from `expected`."""
    with quietly():
        try:
            return float(np.abs(write(model, spec, path)(images) - expected).max())
        except (MaskgenError, OSError):
            raise
        except Exception as error:
            # Converters and runtimes raise many types.
            problem = one_line(error)
    raise ModelError(f"the model cannot be converted: {problem}; please report this")


def _savedmodel(model: Any, spec: ModelSpec, path: Path) -> Run:
    model.export(path, verbose=False)
    (path / MEMBER).write_text(spec.to_json(), encoding="utf-8")
    loaded = tensorflow().saved_model.load(str(path))
    return lambda images: np.asarray(loaded.serve(images))


def _tflite(model: Any, spec: ModelSpec, path: Path) -> Run:
    tf = tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
    # As TFLite's own metadata library packs labels: a zip behind the model, which TFLite does not look at.
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER), spec.to_json())
        archive.writestr(zipfile.ZipInfo("labels.txt"), "\n".join(spec.classes) + "\n")
    run = tf.lite.Interpreter(model_content=path.read_bytes()).get_signature_runner()
    (name,) = run.get_input_details()
    return lambda images: np.concatenate([*(next(iter(run(**{name: rgb[None]}).values())) for rgb in images)])


def _onnx(model: Any, spec: ModelSpec, path: Path) -> Run:
    require("tf2onnx", "onnxruntime", install=ONNX_INSTALL)
    tf, convert = tensorflow(), importlib.import_module("tf2onnx.convert")
    for layer in model.layers:
        if isinstance(layer, keras().layers.Normalization):
            # tf2onnx takes tensors for inputs, and arrays for constants.
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    signature = (tf.TensorSpec((None, spec.size, spec.size, 3), tf.float32, name="rgb"),)
    function = tf.function(lambda rgb: model(rgb, training=False), input_signature=signature)
    converted, _ = convert.from_function(function, input_signature=signature, opset=OPSET)
    entry = converted.metadata_props.add()
    entry.key, entry.value = MEMBER, spec.to_json()
    path.write_bytes(converted.SerializeToString())
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run(None, {session.get_inputs()[0].name: images})[0])


Write = Callable[[Any, ModelSpec, Path], Run]
FORMATS: dict[str, Write] = {"savedmodel": _savedmodel, "tflite": _tflite, "onnx": _onnx}


def _input_image(path: Path, size: int) -> NDArray[np.float32]:
    inspected = inspect(path)
    if inspected.problem is not None:
        raise MissingDataError(f"{path}, to compare on: {inspected.problem}")
    image = shown(path.read_bytes(), (0, 0, *inspected.size), size, inspected.plain)
    return image.astype(np.float32)
