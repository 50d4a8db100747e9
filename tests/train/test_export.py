"""Exported models agree with Keras on real images, and the ONNX file needs no tensorflow."""

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
from maskgen.keras_runtime import seed_everything
from maskgen.train.model import export as export_module
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.bench import bench
from maskgen.train.model.build import build_model
from maskgen.train.model.classifier import open_classifier
from maskgen.train.model.export import export
from maskgen.train.model.load import load_model
from maskgen.train.predict.faces import predict_file
from maskgen.train.spec import MEMBER, ModelSpec, embed_spec, read_spec

pytestmark = [needs_train, needs_onnx]

REPOSITORY = Path(__file__).parents[2]
PORTRAITS = sorted(SHIPS_IN.glob("*.jpg"))
SPEC = ModelSpec(("female", "male"), 48, "face", 0.25, None, "tiny-cnn")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny model, saved as `maskgen train` saves its best."""
    path = tmp_path_factory.mktemp("run") / "best.keras"
    seed_everything(3, False)
    build_model("tiny-cnn", 2, size=48, weights="none").save(path)
    embed_spec(path, SPEC)
    return path


@pytest.fixture(scope="module")
def onnx_file(model, tmp_path_factory):
    return export(model, "onnx", PORTRAITS, tmp_path_factory.mktemp("onnx") / "m.onnx").path


def test_every_format_agrees_with_keras_on_real_pictures_and_takes_its_description_with_it(model):
    done = {name: export(model, name, PORTRAITS) for name in export_module.FORMATS}
    for name, each in done.items():
        assert each.difference <= 1e-4 and each.images == 3, name
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
    file = export(model, "onnx", PORTRAITS, tmp_path / "m.onnx").path
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
        export(model, "onnx", [tmp_path / "typo.jpg"], tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def _place(path, format):
    """Something where an export in this format lies."""
    if format == "savedmodel":
        path.mkdir()
        path /= "saved_model.pb"
    path.touch()


@pytest.mark.parametrize("format", export_module.FORMATS)
def test_a_model_that_comes_out_different_is_refused_and_not_written(
    model, tmp_path, monkeypatch, capsys, format
):
    def write(own, spec, path):
        _place(path, format)
        return lambda images: np.asarray(own(images)) + np.float32(0.01)

    monkeypatch.setitem(export_module.FORMATS, format, write)
    out = tmp_path / "out"
    assert main(["export", str(model), "--format", format, "--out", str(out)]) == 2
    assert f"as {format} differs from Keras by 0.01" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="format must be one of"):
        export(model, "coreml", PORTRAITS)


@pytest.mark.parametrize("format", export_module.FORMATS)
@pytest.mark.parametrize("there", [False, True])
def test_a_conversion_that_fails_is_one_line_and_leaves_what_was_there(
    model, tmp_path, monkeypatch, capsys, format, there
):
    def fail(own, spec, path):
        _place(path, format)
        raise RuntimeError("no such operation\nin 40 lines more")

    out = tmp_path / f"m{export_module.SUFFIXES[format]}"
    if there:
        _place(out, format)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setitem(export_module.FORMATS, format, fail)
    assert main(["export", str(model), "--format", format, "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be converted: no such operation;" in line
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_at_the_target_and_no_export_is_kept(model, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    for format, said in (
        ("savedmodel", "is no SavedModel"),
        ("onnx", "is a folder"),
        ("tflite", "is a folder"),
    ):
        with pytest.raises(UsageError, match=said):
            export(model, format, PORTRAITS, tmp_path / "photos")
    assert (tmp_path / "photos" / "a.jpg").is_file()


# The largest would take gigabytes, and differ in depth and width alone.
SMALL = ("tiny-cnn", "efficientnet_b0", "mobilenet_v2")
GIANTS = ("efficientnet_b6", "efficientnet_b7")
slow = pytest.mark.skipif("MASKGEN_SLOW" not in os.environ, reason="minutes; set MASKGEN_SLOW=1 to run it")


def _normalised(name, images):
    """An untrained model with the statistics of these images: without them, a deep one says 0.5 of any."""
    seed_everything(1, False)
    model = build_model(name, 2, size=images.shape[1], dropout=0, weights="none")
    for layer in model.layers:
        if hasattr(layer, "momentum"):
            layer.momentum = 0.0
    model(images, training=True)
    return model


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SMALL else slow) for name in BACKBONES if name not in GIANTS],
)
def test_every_backbone_goes_into_every_format_at_a_small_size(tmp_path, monkeypatch, name):
    # Deep without shortcuts: rounding grows, and Keras itself differs by 1e-4 from its float64 result.
    size, limit = (75, 1e-3) if name == "inception_v3" else (64, 1e-4)
    # Not eight images: their variances are near zero, and rounding then moves Keras's own outputs by 1e-4.
    images = np.random.default_rng(1).integers(0, 256, (64, size, size, 3)).astype(np.float32)
    model, images = _normalised(name, images), images[:16]
    probabilities = np.asarray(model(images))[:, 0]
    assert np.ptp(probabilities) > 0.1
    assert np.mean((probabilities > 0.02) & (probabilities < 0.98)) > 0.5
    path = tmp_path / "model.keras"
    model.save(path)
    embed_spec(path, ModelSpec(("a", "b"), size, "full", 0.0, None, name))
    model = load_model(path)  # Once, as it takes seconds.
    monkeypatch.setattr(export_module, "load_model", lambda file: model)
    monkeypatch.setattr(export_module, "_input_image", lambda image, size: image)
    for format in export_module.FORMATS:
        done = export(path, format, images)
        print(f"{name} {size} px {format}: {done.difference:.1e}, spread {np.ptp(probabilities):.2f}")
        assert done.difference <= limit
    own = open_classifier(done.path).probabilities(images.astype(np.uint8))
    assert own[:, 0] == pytest.approx(probabilities, abs=limit)


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


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_onnx_file_is_one_line(onnx_file, tmp_path, capfd, kind):
    change, said = BROKEN[kind]
    path = tmp_path / "m.onnx"
    path.write_bytes(change(onnx_file.read_bytes()))
    for command in (["predict", str(path), str(PORTRAITS[0]), "--no-detect"], ["bench", str(path)]):
        assert main(command) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert said in line and str(path) in line


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
