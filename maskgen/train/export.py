"""A trained model for other programs: SavedModel, TFLite or ONNX, checked against Keras on real pictures."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.atomic import write_atomic
from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.train.classifier import ONNX_INSTALL, model_file
from maskgen.train.pictures import inspect, shown
from maskgen.train.runtime import quietly, require, tensorflow
from maskgen.train.safe_model import load_model
from maskgen.train.spec import MEMBER, ModelSpec, read_spec

FORMATS = ("savedmodel", "tflite", "onnx")
SUFFIXES = {"savedmodel": "", "tflite": ".tflite", "onnx": ".onnx"}
LARGEST_DIFFERENCE = 1e-4
OPSET = 15

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Exported:
    """A model that was written and found to agree.

    Attributes:
        path: The file, or the folder of a SavedModel.
        difference: The largest difference of a probability to Keras's.
        pictures: On how many pictures.
        drawn: Whether these were random ones, as no real ones were at hand.
    """

    path: Path
    difference: float
    pictures: int
    drawn: bool


def export(model: Path, format: str, out: Path | None = None, samples: Sequence[Path] = ()) -> Exported:
    """Write a model in another format, and hold it against Keras's.

    Classes, size, crop and threshold go with it: inside an ONNX or TFLite file, beside a SavedModel.

    Args:
        model: A run folder or ``.keras`` file.
        format: One of `FORMATS`.
        out: Where to; beside the model by default.
        samples: Real pictures to compare on; random ones stand in where there are none.

    Raises:
        MissingDataError: There is no such model, or a sample cannot be read.
        UsageError: The format does not exist, or the model is no Keras model.
        MissingExtraError: What writes or reads the format is not installed.
        ModelError: The two do not agree to `LARGEST_DIFFERENCE`.
    """
    if format not in FORMATS:
        raise UsageError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    require("tensorflow")
    file = model_file(model)
    spec = read_spec(file)
    name = f"{file.stem}{SUFFIXES[format]}" if format != "savedmodel" else f"{file.stem}_savedmodel"
    target = out or file.with_name(name)
    images, drawn = _pictures(spec, samples)
    own = load_model(file)
    with quietly():
        run = {"savedmodel": _savedmodel, "tflite": _tflite, "onnx": _onnx}[format](own, spec, target)
    expected = np.asarray(own.predict_on_batch(images))
    difference = float(np.abs(run(images) - expected).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelError(
            f"{target} differs from {file} by {difference:.2g} on {len(images)} pictures, more than "
            f"{LARGEST_DIFFERENCE:g}: do not use it, and report this"
        )
    return Exported(target, difference, len(images), drawn)


def _savedmodel(model: Any, spec: ModelSpec, target: Path) -> Run:
    if target.exists() and not (target / "saved_model.pb").is_file():
        raise UsageError(f"{target} is there and is no SavedModel: give another --out")
    shutil.rmtree(target, ignore_errors=True)
    model.export(target, verbose=False)
    write_atomic(target / MEMBER, spec.to_json().encode())
    loaded = tensorflow().saved_model.load(str(target))
    return lambda images: np.asarray(loaded.serve(images))


def _tflite(model: Any, spec: ModelSpec, target: Path) -> Run:
    tf = tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        content = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    write_atomic(target, content)
    # As TFLite's own metadata library packs labels: a zip behind the model, which TFLite does not look at.
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER), spec.to_json())
        archive.writestr(zipfile.ZipInfo("labels.txt"), "\n".join(spec.classes) + "\n")
    interpreter = tf.lite.Interpreter(model_path=str(target))
    place = interpreter.get_input_details()[0]["index"]

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        found = []
        for image in images:
            interpreter.resize_tensor_input(place, (1, *image.shape))
            interpreter.allocate_tensors()
            interpreter.set_tensor(place, image[None])
            interpreter.invoke()
            found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
        return np.stack(found)

    return run


def _onnx(model: Any, spec: ModelSpec, target: Path) -> Run:
    require("tf2onnx", "onnxruntime", install=ONNX_INSTALL)
    tf, convert = tensorflow(), importlib.import_module("tf2onnx.convert")
    signature = (tf.TensorSpec((None, spec.size, spec.size, 3), tf.float32, name="rgb"),)
    function = tf.function(lambda rgb: model(rgb, training=False), input_signature=signature)
    converted, _ = convert.from_function(function, input_signature=signature, opset=OPSET)
    entry = converted.metadata_props.add()
    entry.key, entry.value = MEMBER, spec.to_json()
    write_atomic(target, converted.SerializeToString())
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run(None, {session.get_inputs()[0].name: images})[0])


def _pictures(spec: ModelSpec, samples: Sequence[Path]) -> tuple[NDArray[np.float32], bool]:
    """Whole pictures at the model's size; random ones, with edges and flat parts, where none are given."""
    real = []
    for path in samples:
        found = inspect(path)
        if found.problem is not None:
            raise MissingDataError(f"{path}, to compare on: {found.problem}")
        real.append(shown(path.read_bytes(), (0, 0, *found.size), spec.size, found.plain))
    if real:
        return np.stack(real).astype(np.float32), False
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3)).astype(np.float32)
    times = -(-spec.size // 8)
    return coarse.repeat(times, 1).repeat(times, 2)[:, : spec.size, : spec.size], True
