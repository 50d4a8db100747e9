"""Benchmark of a model: parameters, FLOPs, file size, and latency on this machine."""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.keras_runtime import backend, tensorflow
from maskgen.process import usable_cores
from maskgen.train.model.classifier import Classifier, open_classifier
from maskgen.train.model.load import load_model

WARM_UP = 5


def bench(path: Path, batch_sizes: Sequence[int] = (1, 8, 32), repeats: int = 30) -> dict[str, Any]:
    """Measure a model, given as a run folder or as a ``.keras``, ``.onnx`` or ``.tflite`` file.

    Returns:
        Name, size in bytes, parameters and FLOPs per image (None for exported files), the machine, and for
        each batch size the latency in milliseconds of `repeats` calls: from a uint8 batch in memory to
        probabilities, after a warm-up.
    """
    classifier = open_classifier(path)
    parameters, flops = _counts(classifier.path)
    processor, info = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    load = [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None
    machine = {"cores": usable_cores(), "load": load, "system": platform.platform()}
    return {
        "model": classifier.name,
        "file": str(classifier.path),
        "bytes": classifier.path.stat().st_size,
        "parameters": parameters,
        "flops": flops,
        "input": classifier.spec.size,
        "latency": {str(size): _latency(classifier, size, repeats) for size in batch_sizes},
        "machine": {"processor": next(names, processor), **machine},
    }


def _latency(classifier: Classifier, size: int, repeats: int) -> dict[str, float]:
    side = classifier.spec.size
    images = np.random.default_rng(0).integers(0, 256, (size, side, side, 3), dtype=np.uint8)
    times = []
    for _ in range(WARM_UP + repeats):
        started = time.perf_counter()
        classifier.probabilities(images)
        times.append((time.perf_counter() - started) * 1000)
    names = ("min", "median", "p95", "max")
    figures = dict(zip(names, map(float, np.percentile(times[WARM_UP:], (0, 50, 95, 100))), strict=True))
    figures["pictures_per_second"] = 1000 * size / figures["median"]
    return {name: round(value, 3) for name, value in figures.items()}


def _counts(path: Path) -> tuple[int | None, int | None]:
    """Parameters, and FLOPs per image from TensorFlow's profiler; None for exported files."""
    if path.suffix != ".keras":
        return None, None
    model = load_model(path)
    if backend() != "tensorflow":
        return model.count_params(), None
    tf = tensorflow()
    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    function = tf.function(lambda rgb: model(rgb, training=False)).get_concrete_function(signature)
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    profile = profiler.profile(function.graph, options=options.with_empty_output().build())
    return model.count_params(), profile.total_float_ops
