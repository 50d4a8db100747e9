"""Exported models agree with Keras on real images, and the ONNX file needs no tensorflow."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from exported_models import PORTRAITS, SPEC
from train_data import jpeg, needs_onnx, needs_train, row, write, write_masked

from maskgen.__main__ import main
from maskgen.errors import MissingDataError, UsageError
from maskgen.train.model import export as export_module
from maskgen.train.model.classifier import open_classifier
from maskgen.train.model.converters import CONVERTERS
from maskgen.train.model.export import PRECISIONS, export, open_source
from maskgen.train.predict.faces import predict_file
from maskgen.train.spec import MEMBER, ModelSpec

pytestmark = [needs_train, needs_onnx]

REPOSITORY = Path(__file__).parents[2]


def test_every_format_agrees_with_keras_on_real_pictures_and_takes_its_description_with_it(tiny_model):
    source = open_source(tiny_model, PORTRAITS)
    done = {kind: export(source, kind[0], precision=kind[1]) for kind in CONVERTERS}
    limits = {"float": 1e-4, "float16": 5e-3, "int8": 0.05}
    for kind, each in done.items():
        assert (each.format, each.precision) == kind and each.images == 3
        assert each.difference <= limits[each.precision] and each.agreement == 1, kind
        assert each.milliseconds > 0
    assert done["savedmodel", "float"].path == tiny_model.with_name("best_savedmodel")
    assert ModelSpec.from_json((done["savedmodel", "float"].path / MEMBER).read_text()) == SPEC
    assert done["tflite", "int8"].path == tiny_model.with_name("best_int8.tflite")
    with zipfile.ZipFile(done["tflite", "float"].path) as archive:
        assert archive.read("labels.txt") == b"female\nmale\n"
    sizes = [done["tflite", precision].bytes for precision in PRECISIONS]
    assert sizes[0] > 1.8 * sizes[1] > 3 * sizes[2]
    for (format, _), each in done.items():
        assert each.bytes >= each.path.stat().st_size or format == "savedmodel"
        if format != "savedmodel":
            assert open_classifier(each.path).spec == SPEC


def test_int8_is_calibrated_on_a_folder_of_images_and_few_are_warned_about(tiny_model, tmp_path, caplog):
    for n in range(60):
        write(tmp_path / "faces" / f"{n}" / "a.jpg", jpeg(n, (4 * n, 128, 255 - 4 * n)))
    out = tmp_path / "m.tflite"
    done = export(tiny_model, "tflite", [tmp_path / "faces"], out, "int8")
    assert done.images == 60 and "calibrated" not in caplog.text
    done = export(tiny_model, "tflite", [tmp_path / "faces" / "7" / "a.jpg", *PORTRAITS], out, "int8")
    assert done.images == 4 and "calibrated on only 4 images" in caplog.text
    with pytest.raises(MissingDataError, match="no image to compare on"):
        (tmp_path / "empty").mkdir()
        export(tiny_model, "onnx", [tmp_path / "empty"], out)


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
def test_usage(tiny_model, capsys, case):
    options, said = USAGE[case]
    assert main(["export", str(tiny_model), *options]) == 2
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
def test_predict_and_evaluate_take_an_exported_file_with_its_own_runtime_alone(tiny_model, tmp_path, format):
    file = export(tiny_model, format, PORTRAITS, tmp_path / f"m.{format}").path
    code, out, err = alone(format, "predict", file, *PORTRAITS, "--no-detect", "--json")
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) == 3
    for line, portrait in zip(lines, PORTRAITS, strict=True):
        (said,) = predict_file(open_classifier(tiny_model), portrait, None)[0]
        (face,) = json.loads(line)["faces"]
        assert face["label"] == said.label
        assert face["probabilities"]["male"] == pytest.approx(said.probabilities[1], abs=1e-4)
    data = write_masked(tmp_path / "set", [row(f"{n}.jpg", SPEC.classes[n % 2]) for n in range(4)])
    code, out, err = alone(format, "evaluate", file, "--on", f"tiny={data}", "--json", "-q")
    assert (code, json.loads(out)[0]["n"]) == (0, 4), err
    code, _, err = alone(format, "predict", tiny_model, PORTRAITS[0], "--no-detect")
    assert code == 2 and "pip install 'maskgen[train]'" in err


def test_a_savedmodel_is_run_by_tensorflow_without_maskgen(tiny_model, tmp_path):
    done = export(tiny_model, "savedmodel", PORTRAITS, tmp_path / "saved")
    image = np.random.default_rng(5).integers(0, 256, (1, 48, 48, 3), dtype=np.uint8)
    np.save(tmp_path / "image.npy", image)
    program = (
        "import sys; sys.modules['maskgen'] = None; import numpy, tensorflow as tf;"
        "model = tf.saved_model.load(sys.argv[1]);"
        "print(*model.serve(numpy.load(sys.argv[2]).astype('float32')).numpy()[0])"
    )
    command = [sys.executable, "-c", program, str(done.path), str(tmp_path / "image.npy")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = open_classifier(tiny_model).probabilities(image)[0]
    assert list(map(float, out.split())) == pytest.approx(expected.tolist(), abs=1e-5)


def test_export_and_bench_print_their_own_lines_only(tiny_model, tmp_path):
    """A real process: the libraries in C++ write to stderr past Python."""
    known = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    paths = os.pathsep.join(path for path in (str(REPOSITORY), os.environ.get("PYTHONPATH")) if path)
    run = tmp_path / "run"
    run.mkdir()
    (run / "best.keras").write_bytes(tiny_model.read_bytes())

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


def test_a_sample_that_is_not_there_is_named_before_anything_is_converted(tiny_model, tmp_path):
    with pytest.raises(MissingDataError, match=r"typo\.jpg.*not there"):
        export(tiny_model, "onnx", [tmp_path / "typo.jpg"], tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def _place(path, format):
    """Something where an export in this format lies."""
    if format == "savedmodel":
        path.mkdir()
        path /= "saved_model.pb"
    path.touch()


@pytest.mark.parametrize(("format", "precision"), CONVERTERS)
def test_a_model_that_comes_out_different_is_refused_and_not_written(
    tiny_model, tmp_path, monkeypatch, capsys, format, precision
):
    def write(source, path):
        _place(path, format)
        if precision == "float":
            return lambda images: np.asarray(source.model(images)) + np.float32(0.01)
        return lambda images: np.asarray(source.model(images))[:, ::-1]

    monkeypatch.setitem(CONVERTERS, (format, precision), write)
    out = tmp_path / "out"
    options = ["--precision", precision] if precision != "float" else []
    assert main(["export", str(tiny_model), "--format", format, *options, "--out", str(out)]) == 2
    said = f"as {format} differs from Keras by 0.01"
    if precision != "float":
        said = f"as {format} {precision} predicts the class of Keras for only 0% of 3 images"
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="format must be one of"):
        export(tiny_model, "coreml", PORTRAITS)


def test_with_all_a_refused_format_does_not_keep_the_others_from_being_written(
    tiny_model, tmp_path, monkeypatch, capsys
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
    (run / "best.keras").write_bytes(tiny_model.read_bytes())
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
    tiny_model, tmp_path, monkeypatch, capsys, format, there
):
    def fail(source, path):
        _place(path, format)
        raise RuntimeError("no such operation\nin 40 lines more")

    out = tmp_path / f"m{export_module.SUFFIXES[format]}"
    if there:
        _place(out, format)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setitem(CONVERTERS, (format, "float"), fail)
    assert main(["export", str(tiny_model), "--format", format, "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be converted: no such operation;" in line
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_at_the_target_and_no_export_is_kept(tiny_model, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    for format, said in (
        ("savedmodel", "is no SavedModel"),
        ("onnx", "is a folder"),
        ("tflite", "is a folder"),
    ):
        with pytest.raises(UsageError, match=said):
            export(tiny_model, format, PORTRAITS, tmp_path / "photos")
    assert (tmp_path / "photos" / "a.jpg").is_file()
