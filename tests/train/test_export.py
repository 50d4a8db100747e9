"""Exported models agree with Keras on real pictures, and the ONNX file needs no tensorflow."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from train_data import needs_onnx, needs_train, row, write_masked

from maskgen.__main__ import main
from maskgen.datasets.sample import SHIPS_IN
from maskgen.errors import MissingDataError, UsageError
from maskgen.train import export as export_module
from maskgen.train.bench import bench
from maskgen.train.classifier import open_classifier
from maskgen.train.export import export
from maskgen.train.model import build_model
from maskgen.train.predict import predict_file
from maskgen.train.runtime import seed_everything
from maskgen.train.spec import MEMBER, ModelSpec, embed_spec, read_spec

pytestmark = [needs_train, needs_onnx]

REPOSITORY = Path(__file__).parents[2]
PORTRAITS = sorted(SHIPS_IN.glob("*.jpg"))
SPEC = ModelSpec(("female", "male"), 48, "face", 0.25, 0.4321, None, "tiny-cnn")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny model, saved as `maskgen train` saves its best."""
    path = tmp_path_factory.mktemp("run") / "best.keras"
    seed_everything(3, False)
    build_model("tiny-cnn", 2, size=48, weights="none").save(path)
    embed_spec(path, SPEC)
    return path


def test_every_format_agrees_with_keras_on_real_pictures_and_takes_its_description_with_it(model):
    done = {name: export(model, name, samples=PORTRAITS) for name in export_module.FORMATS}
    for name, each in done.items():
        assert each.difference <= 1e-4 and each.pictures == 3 and not each.drawn, name
    assert done["savedmodel"].path == model.with_name("best_savedmodel")
    assert ModelSpec.from_json((done["savedmodel"].path / MEMBER).read_text()) == SPEC
    with zipfile.ZipFile(done["tflite"].path) as archive:
        assert ModelSpec.from_json(archive.read(MEMBER).decode()) == SPEC
        assert archive.read("labels.txt") == b"female\nmale\n"
    assert open_classifier(done["onnx"].path).spec == SPEC


NO_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from maskgen.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def without_tensorflow(*arguments):
    program = [sys.executable, "-c", NO_TENSORFLOW, *map(str, arguments)]
    paths = os.pathsep.join(path for path in (str(REPOSITORY), os.environ.get("PYTHONPATH")) if path)
    done = subprocess.run(
        program, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_predict_and_evaluate_take_the_onnx_file_without_tensorflow(model, tmp_path):
    file = export(model, "onnx", tmp_path / "m.onnx", PORTRAITS).path
    code, out, err = without_tensorflow("predict", file, PORTRAITS[0], "--no-detect", "--json")
    assert code == 0, err
    (said,) = predict_file(open_classifier(model), PORTRAITS[0], None)[0]
    assert json.loads(out)["faces"][0]["probabilities"]["male"] == pytest.approx(
        said.probabilities[1], abs=1e-4
    )
    data = write_masked(tmp_path / "set", [row(f"{n}.jpg", SPEC.classes[n % 2]) for n in range(4)])
    code, out, err = without_tensorflow("evaluate", file, "--on", f"tiny={data}", "--json", "-q")
    assert (code, json.loads(out)[0]["n"]) == (0, 4), err
    code, _, err = without_tensorflow("predict", model, PORTRAITS[0], "--no-detect")
    assert code == 2 and "pip install 'maskgen[train]'" in err


def test_a_sample_that_is_not_there_is_named_before_anything_is_converted(model, tmp_path):
    with pytest.raises(MissingDataError, match=r"typo\.jpg.*not there"):
        export(model, "onnx", tmp_path / "m.onnx", [tmp_path / "typo.jpg"])
    assert not (tmp_path / "m.onnx").exists()


def test_a_model_that_comes_out_different_is_refused(model, tmp_path, monkeypatch):
    original = export_module._onnx
    monkeypatch.setattr(
        export_module, "_onnx", lambda *given: lambda images: original(*given)(images) + np.float32(0.01)
    )
    assert main(["export", str(model), "--format", "onnx", "--out", str(tmp_path / "m.onnx")]) == 2
    with pytest.raises(UsageError, match="format must be one of"):
        export(model, "coreml")


def test_the_description_in_a_keras_file_does_not_keep_keras_from_reading_it(model):
    assert read_spec(model) == SPEC
    assert open_classifier(model).probabilities(np.zeros((1, 48, 48, 3), np.uint8)).shape == (1, 2)


def test_bench_tells_counts_and_times_and_names_the_machine(model, tmp_path):
    found = bench(model, (1, 2), repeats=3)
    assert found["parameters"] > 100_000
    # The second convolution alone: 2 * 9 * 24 * 48 multiplications and additions at 24 x 24 places.
    assert found["flops"] > 2 * 9 * 24 * 48 * 24 * 24
    for own in found["latency"].values():
        assert 0 < own["min"] <= own["median"] <= own["p95"] <= own["max"]
    assert found["machine"]["cores"] >= 1
