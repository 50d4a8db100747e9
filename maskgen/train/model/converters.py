"""Converters of a Keras model: each writes a format and opens it by that format's own runtime."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.keras_runtime import keras, require, tensorflow
from maskgen.train.model.classifier import ONNX_INSTALL, Run
from maskgen.train.model.tflite import open_tflite, with_description
from maskgen.train.spec import MEMBER, ModelSpec

OPSET = 15

# From a Keras model, its specification, the path to write, and (n, size, size, 3) float32 RGB images to
# calibrate with, to a function that runs the written model.
Write = Callable[[Any, ModelSpec, Path, NDArray[np.float32]], Run]


def _savedmodel(model: Any, spec: ModelSpec, path: Path, images: NDArray[np.float32]) -> Run:
    model.export(path, verbose=False)
    (path / MEMBER).write_text(spec.to_json(), encoding="utf-8")
    loaded = tensorflow().saved_model.load(str(path))
    return lambda batch: np.asarray(loaded.serve(batch))


def _tflite(
    model: Any, spec: ModelSpec, path: Path, images: NDArray[np.float32], precision: str = "float"
) -> Run:
    tf = tensorflow()
    freeze = importlib.import_module("tensorflow.python.framework.convert_to_constants")
    # The calibration for int8 cannot read variables.
    function = freeze.convert_variables_to_constants_v2(_function(model, spec).get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    if precision != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "int8":
        # Input and output stay float32: whoever runs one precision can run the others.
        converter.representative_dataset = partial(_one_by_one, images)
    path.write_bytes(with_description(converter.convert(), spec))
    return open_tflite(path)[1]


def _one_by_one(images: NDArray[np.float32]) -> Iterator[list[NDArray[np.float32]]]:
    for image in images:
        yield [image[None]]


def _onnx(model: Any, spec: ModelSpec, path: Path, images: NDArray[np.float32]) -> Run:
    require("tf2onnx", "onnxruntime", install=ONNX_INSTALL)
    convert = importlib.import_module("tf2onnx.convert")
    for layer in model.layers:
        if isinstance(layer, keras().layers.Normalization):
            # tf2onnx takes tensors for inputs, and arrays for constants.
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    function = _function(model, spec)
    converted, _ = convert.from_function(function, input_signature=function.input_signature, opset=OPSET)
    entry = converted.metadata_props.add()
    entry.key, entry.value = MEMBER, spec.to_json()
    path.write_bytes(converted.SerializeToString())
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda batch: np.asarray(session.run(None, {session.get_inputs()[0].name: batch})[0])


def _function(model: Any, spec: ModelSpec) -> Any:
    """The model as a TensorFlow function of any number of images."""
    tf = tensorflow()
    signature = (tf.TensorSpec((None, spec.size, spec.size, 3), tf.float32, name="rgb"),)
    return tf.function(lambda rgb: model(rgb, training=False), input_signature=signature)


# (format, precision) -> converter.
CONVERTERS: Mapping[tuple[str, str], Write] = {
    ("savedmodel", "float"): _savedmodel,
    ("tflite", "float"): _tflite,
    ("tflite", "float16"): partial(_tflite, precision="float16"),
    ("tflite", "int8"): partial(_tflite, precision="int8"),
    ("onnx", "float"): _onnx,
}
