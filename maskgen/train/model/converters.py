"""Converters of a Keras model: each writes a format and opens it by that format's own runtime."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.keras_runtime import require, tensorflow
from maskgen.train.model.classifier import ONNX_INSTALL, Run
from maskgen.train.model.tflite import open_tflite, with_description
from maskgen.train.spec import MEMBER, ModelSpec

OPSET = 15


@dataclass(frozen=True, eq=False)
class Source:
    """A model to export: loaded once for all formats, with what Keras predicts for the samples."""

    file: Path
    model: Any
    spec: ModelSpec
    images: NDArray[np.float32]  # (n, size, size, 3) RGB
    expected: NDArray[np.float32]  # (n, classes) probabilities

    @cached_property
    def frozen(self) -> Any:
        """The model as a TensorFlow function of any number of images, its variables as constants."""
        tf = tensorflow()
        freeze = importlib.import_module("tensorflow.python.framework.convert_to_constants")
        images = tf.TensorSpec((None, self.spec.size, self.spec.size, 3), tf.float32, name="rgb")
        function = tf.function(lambda rgb: self.model(rgb, training=False)).get_concrete_function(images)
        return freeze.convert_variables_to_constants_v2(function)


# Writes the source in one format to a path, and returns the function that runs it.
Write = Callable[[Source, Path], Run]


def _savedmodel(source: Source, path: Path) -> Run:
    source.model.export(path, verbose=False)
    (path / MEMBER).write_text(source.spec.to_json(), encoding="utf-8")
    loaded = tensorflow().saved_model.load(str(path))
    return lambda batch: np.asarray(loaded.serve(batch))


def _tflite(source: Source, path: Path, precision: str = "float") -> Run:
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([source.frozen], tf.Module())
    if precision != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "int8":
        # Input and output stay float32: whoever runs one precision can run the others.
        converter.representative_dataset = partial(_one_by_one, source.images)
    path.write_bytes(with_description(converter.convert(), source.spec))
    return open_tflite(path)[1]


def _one_by_one(images: NDArray[np.float32]) -> Iterator[list[NDArray[np.float32]]]:
    for image in images:
        yield [image[None]]


def _onnx(source: Source, path: Path) -> Run:
    require("tf2onnx", "onnxruntime", install=ONNX_INSTALL)
    convert = importlib.import_module("tf2onnx.convert")
    frozen = source.frozen
    converted, _ = convert.from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[each.name for each in frozen.inputs],
        output_names=[each.name for each in frozen.outputs],
        opset=OPSET,
    )
    entry = converted.metadata_props.add()
    entry.key, entry.value = MEMBER, source.spec.to_json()
    path.write_bytes(converted.SerializeToString())
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda batch: np.asarray(session.run(None, {session.get_inputs()[0].name: batch})[0])


# (format, precision) -> converter.
CONVERTERS: Mapping[tuple[str, str], Write] = {
    ("savedmodel", "float"): _savedmodel,
    ("tflite", "float"): _tflite,
    ("tflite", "float16"): partial(_tflite, precision="float16"),
    ("tflite", "int8"): partial(_tflite, precision="int8"),
    ("onnx", "float"): _onnx,
}
