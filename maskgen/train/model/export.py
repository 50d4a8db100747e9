"""A trained model for other programs: SavedModel, TFLite or ONNX, checked against Keras on real images."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import MaskgenError, MissingDataError, ModelError, UsageError
from maskgen.files.image_files import images as images_below
from maskgen.keras_runtime import one_line, quietly, require_tensorflow_backend
from maskgen.train.data.model_input import inspect, shown
from maskgen.train.model.classifier import Run, model_file, with_threshold_inside
from maskgen.train.model.converters import CONVERTERS, Source
from maskgen.train.model.load import load_model
from maskgen.train.spec import read_spec

FORMATS = tuple(dict.fromkeys(format for format, _ in CONVERTERS))
PRECISIONS = tuple(dict.fromkeys(precision for _, precision in CONVERTERS))
SUFFIXES = {"savedmodel": "_savedmodel", "tflite": ".tflite", "onnx": ".onnx"}

# Of a probability: the last digit that `predict` prints. Measured where outputs vary: rounding gives up to
# 3e-5, and 3e-4 in inception_v3 (Keras against itself in float64: 1e-4); half floats give 2e-3 or more.
LARGEST_DIFFERENCE = 1e-3
# Of the images, for float16 and int8, which cannot keep to that limit: the least share with Keras's class.
LEAST_AGREEMENT = 0.9
# Fewer images to calibrate an int8 model on are warned about.
FEWEST_CALIBRATED = 50
MOST_SAMPLES = 200
_WARM_UP, _TIMED = 3, 20

log = logging.getLogger("maskgen")


class Exported(NamedTuple):
    """A written model, which agrees with Keras."""

    path: Path  # the file, or the folder of a SavedModel
    format: str
    precision: str
    bytes: int
    difference: float  # the largest difference of a probability from Keras's
    agreement: float  # share of the images with the class that Keras predicts
    images: int  # number of compared images
    milliseconds: float  # median time for one image by the format's own runtime on this machine


def open_source(model: Path, samples: Sequence[Path]) -> Source:
    """Open a run folder or a ``.keras`` file to export it.

    `samples` are real images, or folders of them, to compare and to calibrate on: as the model sees them, so
    faces that fill the image for a model of --crop face. Of more than `MOST_SAMPLES`, so many are taken.
    """
    require_tensorflow_backend()
    file = model_file(model)
    spec = read_spec(file)
    images = np.stack([_input_image(path, spec.size) for path in _sample_files(samples)])
    own = load_model(file)
    spec = with_threshold_inside(spec, own)
    return Source(file, own, spec, images, np.asarray(own.predict_on_batch(images)))


def export(
    model: Path | Source,
    format: str,
    samples: Sequence[Path] = (),
    out: Path | None = None,
    precision: str = "float",
) -> Exported:
    """Write a model in another format, and refuse it if it does not agree with Keras on the samples.

    A float model must not differ by over `LARGEST_DIFFERENCE`; `LEAST_AGREEMENT` is the limit of others.
    Classes, size and crop go with it: inside an ONNX or TFLite file, beside a SavedModel. After an
    error, what was at `out` before is kept.

    Args:
        model: A run folder, a ``.keras`` file, or a source that is open already.
        format: One of `FORMATS`.
        samples: Those of `open_source`, unless that was called before.
        out: File or folder to write, by default beside the model.
        precision: One of `PRECISIONS`; others than "float" are for TFLite. "int8" is calibrated on the
            samples; its input and output remain float32.
    """
    if format not in FORMATS:
        raise UsageError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    if (format, precision) not in CONVERTERS:
        raise UsageError(f"{precision} is a precision of tflite, not of {format}")
    file = model.file if isinstance(model, Source) else model_file(model)
    added = "" if precision == "float" else f"_{precision}"
    target = out or file.with_name(file.stem + added + SUFFIXES[format])
    if format != "savedmodel" and target.is_dir():
        raise UsageError(f"{target} is a folder: give the name of a file as --out")
    if format == "savedmodel" and target.exists() and not (target / "saved_model.pb").is_file():
        raise UsageError(f"{target} is there and is no SavedModel: give another --out")
    source = model if isinstance(model, Source) else open_source(model, samples)
    if precision == "int8" and len(source.images) < FEWEST_CALIBRATED:
        log.warning(
            "int8 is calibrated on only %d images: give a folder of %d or more faces, as the model will see "
            "them, with --sample",
            *(len(source.images), FEWEST_CALIBRATED),
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".unfinished-{target.name}")
    _remove(unfinished)
    try:
        probabilities, milliseconds = _write(source, format, precision, unfinished)
        difference = float(np.abs(probabilities - source.expected).max())
        agreement = float(np.mean(probabilities.argmax(axis=1) == source.expected.argmax(axis=1)))
        _check(source, f"{format} {precision}", difference, agreement)
        size = sum(path.stat().st_size for path in (unfinished, *unfinished.rglob("*")) if path.is_file())
        _remove(target)
        unfinished.replace(target)
    finally:
        _remove(unfinished)
    return Exported(target, format, precision, size, difference, agreement, len(source.images), milliseconds)


def _check(source: Source, kind: str, difference: float, agreement: float) -> None:
    """Raise a `ModelError` if a written model does not agree with Keras."""
    count = len(source.images)
    if kind.endswith(" float") and not difference <= LARGEST_DIFFERENCE:
        raise ModelError(
            f"{source.file} as {kind.removesuffix(' float')} differs from Keras by {difference:.2g} on "
            f"{count} images, more than {LARGEST_DIFFERENCE:g}: nothing is written; please report this"
        )
    if not agreement >= LEAST_AGREEMENT:
        raise ModelError(
            f"{source.file} as {kind} predicts the class of Keras for only {agreement:.0%} of {count} images "
            f"(probabilities differ by up to {difference:.2g}), less than {LEAST_AGREEMENT:.0%}: nothing is "
            "written; give more samples, or another --precision"
        )


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)  # does nothing to a file or a link
    path.unlink(missing_ok=True)


def _write(source: Source, format: str, precision: str, path: Path) -> tuple[NDArray[np.float32], float]:
    """Write a format to `path`; its (n, classes) probabilities, and the milliseconds for one image."""
    write = CONVERTERS[format, precision]
    with quietly():
        try:
            run = write(source, path)
            probabilities = np.concatenate([run(image[None]) for image in source.images])
            return probabilities, _time(run, source.images[:1])
        except (MaskgenError, OSError):
            raise
        except Exception as error:
            # Converters and runtimes raise many types.
            problem = one_line(error)
    raise ModelError(f"the model cannot be converted: {problem}; please report this")


def _time(run: Run, image: NDArray[np.float32]) -> float:
    times = []
    for _ in range(_WARM_UP + _TIMED):
        started = time.perf_counter()
        run(image)
        times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times[_WARM_UP:]))


def _sample_files(samples: Sequence[Path]) -> list[Path]:
    """The images of the samples; `MOST_SAMPLES` of more, evenly spread over the names in order."""
    files: list[Path] = []
    for path in samples:
        if path.is_dir():
            files += [path / name for name in sorted(images_below(path, follow_links=True))]
        else:
            files.append(path)
    if not files:
        raise MissingDataError(f"no image to compare on in {' '.join(map(str, samples)) or 'the samples'}")
    chosen = np.linspace(0, len(files) - 1, min(len(files), MOST_SAMPLES)).round().astype(int)
    return [files[index] for index in chosen]


def _input_image(path: Path, size: int) -> NDArray[np.float32]:
    inspected = inspect(path)
    if inspected.problem is not None:
        raise MissingDataError(f"{path}, to compare on: {inspected.problem}")
    image = shown(path.read_bytes(), (0, 0, *inspected.size), size, inspected.plain)
    return image.astype(np.float32)
