"""Exported files that are broken, or measured by `maskgen bench`."""

import io
import zipfile

import numpy as np
import pytest
from exported_models import PORTRAITS, SPEC
from train_data import needs_onnx, needs_train

from maskgen.__main__ import main
from maskgen.train.model.bench import bench
from maskgen.train.model.classifier import open_classifier
from maskgen.train.spec import MEMBER, read_spec

pytestmark = [needs_train, needs_onnx]


BROKEN = {
    "cut": (lambda data: data[: len(data) // 2], "onnxruntime cannot read it"),
    "no ONNX": (lambda data: b"not a model" * 99, "onnxruntime cannot read it"),
    "empty": (lambda data: b"", "onnxruntime cannot read it"),
    "not ours": (
        lambda data: data.replace(MEMBER.encode(), b"someone.json"),
        "`maskgen export` did not write it",
    ),
    "another size": (lambda data: data.replace(b'"size": 48', b'"size": 49'), "it cannot be computed"),
    "three classes": (lambda data: data.replace(b'"female"', b'"f", "m"'), "2) outputs for its 3 classes"),
    "damaged description": (
        lambda data: data.replace(b'"crop": "face"', b'"crop": "farm"'),
        "crop cannot be",
    ),
}


def _reread(replace):
    """A change of the description in a TFLite file, whose archive has checksums."""

    def change(data):
        file = io.BytesIO(data[: data.index(b"PK\x03\x04")])
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(file, "a") as changed:
            changed.writestr(MEMBER, archive.read(MEMBER).replace(*replace))
        return file.getvalue()

    return change


BROKEN_TFLITE = {
    "cut": (lambda data: data[: len(data) // 2], "`maskgen export` did not write it, or it is damaged"),
    "no TFLite": (lambda data: b"not a model" * 99, "`maskgen export` did not write it, or it is damaged"),
    "empty": (lambda data: b"", "`maskgen export` did not write it, or it is damaged"),
    "no model before the archive": (
        lambda data: b"x" * 99 + data[data.index(b"PK\x03\x04") :],
        "LiteRT cannot read it",
    ),
    "another size": (_reread((b'"size": 48', b'"size": 49')), "it cannot be computed"),
    "three classes": (_reread((b'"female"', b'"f", "m"')), "2) outputs for its 3 classes"),
    "damaged description": (_reread((b'"crop": "face"', b'"crop": "farm"')), "crop cannot be"),
}


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [*((".onnx", kind) for kind in BROKEN), *((".tflite", kind) for kind in BROKEN_TFLITE)],
)
def test_a_broken_file_is_one_line(tiny_exports, tmp_path, capfd, suffix, kind):
    change, said = (BROKEN if suffix == ".onnx" else BROKEN_TFLITE)[kind]
    path = tmp_path / f"m{suffix}"
    path.write_bytes(change(tiny_exports[suffix].read_bytes()))
    for command in (["predict", str(path), str(PORTRAITS[0]), "--no-detect"], ["bench", str(path)]):
        assert main(command) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert said in line and str(path) in line


def test_the_description_in_a_keras_file_does_not_keep_keras_from_reading_it(tiny_model):
    assert read_spec(tiny_model) == SPEC
    assert open_classifier(tiny_model).probabilities(np.zeros((1, 48, 48, 3), np.uint8)).shape == (1, 2)


def test_bench_tells_counts_and_times_and_names_the_machine(tiny_model, tmp_path):
    found = bench(tiny_model, (1, 2), repeats=3)
    assert found["parameters"] > 100_000
    # The second convolution alone: 2 * 9 * 24 * 48 multiplications and additions at 24 x 24 places.
    assert found["flops"] > 2 * 9 * 24 * 48 * 24 * 24
    for own in found["latency"].values():
        assert 0 < own["min"] <= own["median"] <= own["p95"] <= own["max"]
    assert found["machine"]["cores"] >= 1


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_bench_takes_exported_files_and_batches_of_any_size(tiny_exports, tiny_model, suffix):
    found = bench(tiny_exports[suffix], (3, 1), repeats=2)
    assert found["parameters"] is None and {*found["latency"]} == {"3", "1"}
    images = np.random.default_rng(2).integers(0, 256, (5, 48, 48, 3), dtype=np.uint8)
    own, keras = (open_classifier(path).probabilities(images) for path in (tiny_exports[suffix], tiny_model))
    assert own == pytest.approx(keras, abs=1e-4)
