"""Exported models agree with Keras on real images, and the ONNX file needs no tensorflow."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from train_data import jpeg, needs_onnx, needs_train, row, write, write_masked

from maskgen.__main__ import main
from maskgen.datasets.sample import SHIPS_IN
from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import seed_everything
from maskgen.train.model import export as export_module
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.bench import bench
from maskgen.train.model.build import build_model
from maskgen.train.model.classifier import open_classifier
from maskgen.train.model.converters import CONVERTERS, Source
from maskgen.train.model.export import LEAST_AGREEMENT, PRECISIONS, export, open_source
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
def exported(model, tmp_path_factory):
    """Suffix -> the model in this format."""
    source, folder = open_source(model, PORTRAITS), tmp_path_factory.mktemp("exported")
    return {f".{name}": export(source, name, out=folder / f"m.{name}").path for name in OTHER_RUNTIME}


def test_every_format_agrees_with_keras_on_real_pictures_and_takes_its_description_with_it(model):
    source = open_source(model, PORTRAITS)
    done = {kind: export(source, kind[0], precision=kind[1]) for kind in CONVERTERS}
    limits = {"float": 1e-4, "float16": 5e-3, "int8": 0.05}
    for kind, each in done.items():
        assert (each.format, each.precision) == kind and each.images == 3
        assert each.difference <= limits[each.precision] and each.agreement == 1, kind
        assert each.milliseconds > 0
    assert done["savedmodel", "float"].path == model.with_name("best_savedmodel")
    assert ModelSpec.from_json((done["savedmodel", "float"].path / MEMBER).read_text()) == SPEC
    assert done["tflite", "int8"].path == model.with_name("best_int8.tflite")
    with zipfile.ZipFile(done["tflite", "float"].path) as archive:
        assert archive.read("labels.txt") == b"female\nmale\n"
    sizes = [done["tflite", precision].bytes for precision in PRECISIONS]
    assert sizes[0] > 1.8 * sizes[1] > 3 * sizes[2]
    for (format, _), each in done.items():
        assert each.bytes >= each.path.stat().st_size or format == "savedmodel"
        if format != "savedmodel":
            assert open_classifier(each.path).spec == SPEC


def test_int8_is_calibrated_on_a_folder_of_images_and_few_are_warned_about(model, tmp_path, caplog):
    for n in range(60):
        write(tmp_path / "faces" / f"{n}" / "a.jpg", jpeg(n, (4 * n, 128, 255 - 4 * n)))
    out = tmp_path / "m.tflite"
    done = export(model, "tflite", [tmp_path / "faces"], out, "int8")
    assert done.images == 60 and "calibrated" not in caplog.text
    done = export(model, "tflite", [tmp_path / "faces" / "7" / "a.jpg", *PORTRAITS], out, "int8")
    assert done.images == 4 and "calibrated on only 4 images" in caplog.text
    with pytest.raises(MissingDataError, match="no image to compare on"):
        (tmp_path / "empty").mkdir()
        export(model, "onnx", [tmp_path / "empty"], out)


def test_of_many_samples_some_from_the_whole_folder_are_taken(tmp_path):
    for n in range(500):
        write(tmp_path / f"{n:03}.jpg", b"")
    names = [path.name for path in export_module._sample_files([tmp_path])]
    assert len(names) == len(set(names)) == export_module.MOST_SAMPLES
    assert (names[0], names[-1]) == ("000.jpg", "499.jpg") and names == sorted(names)


USAGE = {
    "no format": ([], "give --format once or more, or --all"),
    "a format and all": (["--all", "--format", "onnx"], "give --format once or more, or --all"),
    "a precision of ONNX": (
        ["--format", "onnx", "--precision", "int8"],
        "--precision is for --format tflite",
    ),
    "one file for two": (
        ["--format", "tflite", "--precision", "int8", "--precision", "float", "--out", "m.tflite"],
        "--out names one file",
    ),
}


@pytest.mark.parametrize("case", USAGE)
def test_usage(model, capsys, case):
    options, said = USAGE[case]
    assert main(["export", str(model), *options]) == 2
    assert said in capsys.readouterr().err


# Each format is run where nothing but its own runtime can be imported.
ALONE = """
import sys
for name in ("tensorflow", "keras", "{other}"):
    sys.modules[name] = None
from maskgen.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
OTHER_RUNTIME = {"onnx": "ai_edge_litert", "tflite": "onnxruntime"}


def alone(format, *arguments):
    """The exit code, stdout and stderr of a command that can import only the runtime of a format."""
    program = [sys.executable, "-c", ALONE.format(other=OTHER_RUNTIME[format]), *map(str, arguments)]
    paths = os.pathsep.join(path for path in (str(REPOSITORY), os.environ.get("PYTHONPATH")) if path)
    done = subprocess.run(
        program, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("format", OTHER_RUNTIME)
def test_predict_and_evaluate_take_an_exported_file_with_its_own_runtime_alone(model, tmp_path, format):
    file = export(model, format, PORTRAITS, tmp_path / f"m.{format}").path
    code, out, err = alone(format, "predict", file, *PORTRAITS, "--no-detect", "--json")
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) == 3
    for line, portrait in zip(lines, PORTRAITS, strict=True):
        (said,) = predict_file(open_classifier(model), portrait, None)[0]
        (face,) = json.loads(line)["faces"]
        assert face["label"] == said.label
        assert face["probabilities"]["male"] == pytest.approx(said.probabilities[1], abs=1e-4)
    data = write_masked(tmp_path / "set", [row(f"{n}.jpg", SPEC.classes[n % 2]) for n in range(4)])
    code, out, err = alone(format, "evaluate", file, "--on", f"tiny={data}", "--json", "-q")
    assert (code, json.loads(out)[0]["n"]) == (0, 4), err
    code, _, err = alone(format, "predict", model, PORTRAITS[0], "--no-detect")
    assert code == 2 and "pip install 'maskgen[train]'" in err


def test_a_savedmodel_is_run_by_tensorflow_without_maskgen(model, tmp_path):
    done = export(model, "savedmodel", PORTRAITS, tmp_path / "saved")
    image = np.random.default_rng(5).integers(0, 256, (1, 48, 48, 3), dtype=np.uint8)
    np.save(tmp_path / "image.npy", image)
    program = (
        "import sys; sys.modules['maskgen'] = None; import numpy, tensorflow as tf;"
        "model = tf.saved_model.load(sys.argv[1]);"
        "print(*model.serve(numpy.load(sys.argv[2]).astype('float32')).numpy()[0])"
    )
    command = [sys.executable, "-c", program, str(done.path), str(tmp_path / "image.npy")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = open_classifier(model).probabilities(image)[0]
    assert list(map(float, out.split())) == pytest.approx(expected.tolist(), abs=1e-5)


def test_export_and_bench_print_their_own_lines_only(model, tmp_path):
    """A real process: the libraries in C++ write to stderr past Python."""
    known = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    paths = os.pathsep.join(path for path in (str(REPOSITORY), os.environ.get("PYTHONPATH")) if path)
    run = tmp_path / "run"
    run.mkdir()
    (run / "best.keras").write_bytes(model.read_bytes())

    def command(*arguments):
        program = [sys.executable, "-m", "maskgen", *map(str, arguments)]
        return subprocess.run(
            program, env={**known, "PYTHONPATH": paths}, capture_output=True, text=True, check=True
        )

    done = command("export", run, "--all")
    (*lines, _) = sorted(done.stderr.splitlines(), key=lambda line: "calibrated" in line)
    assert len(lines) == 5 and done.stdout == ""
    assert all(" MB, " in line and " ms an image, differs from Keras by" in line for line in lines), lines
    done = command("bench", run, run / "best.onnx", run / "best_int8.tflite", "--batch", 2, "--repeats", 1)
    assert done.stderr == "" and done.stdout.count("images/s") == 3


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


@pytest.mark.parametrize(("format", "precision"), CONVERTERS)
def test_a_model_that_comes_out_different_is_refused_and_not_written(
    model, tmp_path, monkeypatch, capsys, format, precision
):
    def write(source, path):
        _place(path, format)
        if precision == "float":
            return lambda images: np.asarray(source.model(images)) + np.float32(0.01)
        return lambda images: np.asarray(source.model(images))[:, ::-1]

    monkeypatch.setitem(CONVERTERS, (format, precision), write)
    out = tmp_path / "out"
    options = ["--precision", precision] if precision != "float" else []
    assert main(["export", str(model), "--format", format, *options, "--out", str(out)]) == 2
    said = f"as {format} differs from Keras by 0.01"
    if precision != "float":
        said = f"as {format} {precision} predicts the class of Keras for only 0% of 3 images"
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="format must be one of"):
        export(model, "coreml", PORTRAITS)


def test_with_all_a_refused_format_does_not_keep_the_others_from_being_written(
    model, tmp_path, monkeypatch, capsys
):
    def write(source, path):
        path.touch()
        return lambda images: np.asarray(source.model(images))[:, ::-1]

    for kind in list(CONVERTERS):
        if kind not in (("onnx", "float"), ("tflite", "int8")):
            monkeypatch.delitem(CONVERTERS, kind)
    monkeypatch.setitem(CONVERTERS, ("tflite", "int8"), write)
    run = tmp_path / "run"
    run.mkdir()
    (run / "best.keras").write_bytes(model.read_bytes())
    assert main(["export", str(run), "--all", "--json"]) == 2
    out, err = capsys.readouterr()
    assert "tflite int8: " in err and "nothing is written" in err
    assert json.loads(out) == {
        **json.loads(out),
        **{"format": "onnx", "precision": "float", "path": str(run / "best.onnx"), "images": 3},
    }
    assert sorted(path.name for path in run.iterdir()) == ["best.keras", "best.onnx"]


@pytest.mark.parametrize("format", export_module.FORMATS)
@pytest.mark.parametrize("there", [False, True])
def test_a_conversion_that_fails_is_one_line_and_leaves_what_was_there(
    model, tmp_path, monkeypatch, capsys, format, there
):
    def fail(source, path):
        _place(path, format)
        raise RuntimeError("no such operation\nin 40 lines more")

    out = tmp_path / f"m{export_module.SUFFIXES[format]}"
    if there:
        _place(out, format)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setitem(CONVERTERS, (format, "float"), fail)
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
def test_every_backbone_goes_into_every_format_at_a_small_size(tmp_path, name):
    # Deep without shortcuts: rounding grows, and Keras itself differs by 1e-4 from its float64 result.
    size, limit = (75, 1e-3) if name == "inception_v3" else (64, 1e-4)
    # Not eight images: their variances are near zero, and rounding then moves Keras's own outputs by 1e-4.
    images = np.random.default_rng(1).integers(0, 256, (64, size, size, 3)).astype(np.float32)
    model, images = _normalised(name, images), images[:16]
    probabilities = np.asarray(model(images))
    assert np.ptp(probabilities[:, 0]) > 0.1
    assert np.mean((probabilities > 0.02) & (probabilities < 0.98)) > 0.5
    path = tmp_path / "model.keras"
    model.save(path)
    embed_spec(path, ModelSpec(("a", "b"), size, "full", 0.0, None, name))
    model = load_model(path)
    source = Source(path, model, read_spec(path), images, probabilities)
    for format, precision in CONVERTERS:
        try:
            done = export(source, format, precision=precision)
        except ModelError as error:
            # Weights that were not trained leave little room for rounding: a refusal is an answer.
            assert precision != "float" and "predicts the class of Keras for only" in str(error)
            print(f"{name} | {format} {precision} | refused: {error}")
            continue
        print(
            f"{name} | {format} {precision} | {done.bytes / 1e6:.1f} MB | {done.difference:.1e} | "
            f"{done.agreement:.0%} | {done.milliseconds:.1f} ms"
        )
        assert done.difference <= limit if precision == "float" else done.agreement >= LEAST_AGREEMENT
        if format != "savedmodel":
            own = open_classifier(done.path).probabilities(images.astype(np.uint8))
            assert np.abs(own - probabilities).max() <= done.difference + 1e-5


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
def test_a_broken_file_is_one_line(exported, tmp_path, capfd, suffix, kind):
    change, said = (BROKEN if suffix == ".onnx" else BROKEN_TFLITE)[kind]
    path = tmp_path / f"m{suffix}"
    path.write_bytes(change(exported[suffix].read_bytes()))
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


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_bench_takes_exported_files_and_batches_of_any_size(exported, model, suffix):
    found = bench(exported[suffix], (3, 1), repeats=2)
    assert found["parameters"] is None and {*found["latency"]} == {"3", "1"}
    images = np.random.default_rng(2).integers(0, 256, (5, 48, 48, 3), dtype=np.uint8)
    own, keras = (open_classifier(path).probabilities(images) for path in (exported[suffix], model))
    assert own == pytest.approx(keras, abs=1e-4)
