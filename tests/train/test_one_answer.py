"""Label, percentage, argmax, exports and figures of a model are one answer, whatever cut validation chose."""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tiny_onnx import SPEC, write_bright
from train_data import needs_onnx, needs_train, row, write, write_masked

from maskgen.__main__ import main
from maskgen.errors import ModelError
from maskgen.keras_runtime import keras, seed_everything, tensorflow
from maskgen.train.metrics import decide
from maskgen.train.model.build import build_model
from maskgen.train.model.calibration import Calibration
from maskgen.train.model.classifier import open_classifier
from maskgen.train.model.export import export
from maskgen.train.model.load import load_model
from maskgen.train.spec import embed_spec, read_spec

pytestmark = [needs_train, needs_onnx]

OPTIONS = (
    *("--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--batch-size", "16", "--head", "128"),
    *("--epochs", "8", "--learning-rate", "0.003", "--no-augment", "--no-class-weights", "-q"),
)


def brightness(male, draws):
    """Men are brighter, with an overlap; nearly all of the training are men."""
    return int(np.clip(draws.normal(140 if male else 110, 25), 0, 255))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on unbalanced data, masked and unmasked, so that the best cut is not at 0.5."""
    desk, draws = tmp_path_factory.mktemp("one"), np.random.default_rng(0)
    rows, colors = [], {}
    for n in range(480):
        split = ("train", "train", "validation", "test")[n // 2 % 4]
        name, male = f"{n}.jpg", draws.random() < 0.85
        colors[name] = (brightness(male, draws),) * 3
        label = "male" if male else "female"
        rows.append(row(name, label, split=split, identity=f"p{n // 2}", unmasked_file=f"u{n}.jpg"))
    data = write_masked(desk / "data", rows, colors)
    assert main(["train", str(data), "--both", "--out", str(desk / "run"), *OPTIONS]) == 0
    return desk / "run"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """200 drawn images of the model's size, dark to bright: a folder, and (200, 32, 32, 3) uint8 RGB."""
    folder, draws = tmp_path_factory.mktemp("images"), np.random.default_rng(1)
    folder = folder / "drawn"
    pictures = []
    for n in range(200):
        rgb = (draws.normal(0, 20, (32, 32, 3)) + 0.9 * n + 30).clip(0, 255).astype(np.uint8)
        write(folder / f"{n:03}.png", cv2.imencode(".png", rgb[:, :, ::-1])[1].tobytes())
        pictures.append(rgb)
    return folder, np.stack(pictures)


@pytest.fixture(scope="module")
def said(run, images):
    """The faces of `maskgen predict --json`, one for each image."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["predict", str(run), str(images[0]), "--no-detect", "--json"]) == 0
    return [json.loads(line)["faces"][0] for line in out.getvalue().splitlines()]


def of_savedmodel(path):
    loaded = tensorflow().saved_model.load(str(path))
    return lambda images: np.asarray(loaded.serve(images))


def of_tflite(path):
    signature = tensorflow().lite.Interpreter(model_path=str(path)).get_signature_runner()
    (name,) = signature.get_input_details()
    return lambda images: np.concatenate(
        [next(iter(signature(**{name: each[None]}).values())) for each in images]
    )


def of_onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {session.get_inputs()[0].name: images})[0]


RUNTIMES = {"savedmodel": of_savedmodel, "tflite": of_tflite, "onnx": of_onnx}


def test_the_cut_was_moved_or_nothing_here_is_tested(run):
    calibration = json.loads((run / "metrics.json").read_text())["calibration"]["best.keras"]
    assert abs(calibration["threshold"] - 0.5) > 0.05
    assert calibration["temperature"] != 1


def test_the_percentage_belongs_to_the_label_and_is_at_least_a_half(said):
    assert len(said) == 200
    assert min(sum(each["label"] == name for each in said) for name in ("female", "male")) >= 20
    for each in said:
        assert each["probability"] == each["probabilities"][each["label"]]
        assert each["probability"] == max(each["probabilities"].values()) >= 0.5


@pytest.mark.parametrize("format", RUNTIMES)
def test_argmax_of_every_export_is_the_label_of_predict(run, images, said, tmp_path, format):
    done = export(run, format, sorted(images[0].iterdir())[::50], tmp_path / "exported")
    probabilities = RUNTIMES[format](done.path)(images[1].astype(np.float32))
    labels = [("female", "male")[place] for place in probabilities.argmax(axis=1)]
    assert labels == [each["label"] for each in said]
    expected = [[each["probabilities"][name] for name in ("female", "male")] for each in said]
    assert probabilities == pytest.approx(np.array(expected), abs=1e-4)


@pytest.mark.parametrize("name", ["best.keras", "last.keras"])
def test_a_model_of_the_run_is_cut_at_a_half_where_its_balanced_accuracy_is_high(run, name):
    examples = [json.loads(line) for line in (run / "examples.jsonl").read_text().splitlines()]
    examples = [each for each in examples if each["split"] == "validation"]
    pictures = [cv2.imread(str(run / each["path"]))[:, :, ::-1] for each in examples]
    small = np.stack([cv2.resize(each, (32, 32), interpolation=cv2.INTER_LINEAR) for each in pictures])
    male = open_classifier(run / name).probabilities(small)[:, 1]
    labels = np.array([each["label"] == "male" for each in examples])

    def balanced(cut):
        return ((male > cut)[labels].mean() + (male <= cut)[~labels].mean()) / 2

    calibration = json.loads((run / "metrics.json").read_text())["calibration"][name]
    shift = Calibration.of_threshold(calibration["threshold"]).shift
    # Where 0.5 went.
    before = Calibration(-shift / calibration["temperature"]).threshold
    assert balanced(0.5) > balanced(before) + 0.02
    # Of few women, the best cut in this very split is one of chance; the rule draws it a thousand times.
    assert balanced(0.5) > max(map(balanced, male)) - 0.05


def test_the_files_of_a_run_agree(run):
    with (run / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    metrics = json.loads((run / "metrics.json").read_text())
    for each in rows:
        assert (each["predicted"] == "male") == (float(each["p_male"]) > 0.5)
    for split in ("validation", "test"):
        own = [each for each in rows if each["split"] == split]
        right = [each["predicted"] == each["label"] for each in own]
        assert np.mean(right) == pytest.approx(metrics[split]["accuracy"])
        for side, masked in (("masked", "True"), ("unmasked", "False")):
            part = [good for good, each in zip(right, own, strict=True) if each["masked"] == masked]
            assert np.mean(part) == pytest.approx(metrics[split]["by_mask"][side]["accuracy"])
        assert metrics[split]["paired"]["n"] == len(own) / 2


def test_the_card_and_the_page_have_masked_and_unmasked_beside_each_other(run):
    metrics = json.loads((run / "metrics.json").read_text())
    card, page = (run / "README.md").read_text(), (run / "report.html").read_text()
    for side in ("masked", "unmasked"):
        accuracy = f"{metrics['test']['by_mask'][side]['accuracy']:.2%}"
        assert f"| test | {side} |" in card and accuracy in card and accuracy in page
    assert "the weights contain it" in card and "The temperature is" in card
    assert page.count("data:image/png") == 4 and "data:image/jpeg" in page


OLD = replace(SPEC, crop="full", outer_threshold=0.3)


def test_a_keras_file_of_schema_1_is_moved_by_its_threshold_and_so_are_its_exports(images, tmp_path):
    seed_everything(3, False)
    model = build_model("tiny-cnn", 2, size=32, weights="none")
    # Probabilities on both sides of the threshold.
    kernel, bias = model.get_layer("classes").get_weights()
    model.get_layer("classes").set_weights([20 * kernel, bias])
    raw = np.asarray(model.predict_on_batch(images[1].astype(np.float32)))
    cut = float(np.quantile(raw[:, 1], 0.3))
    model.save(tmp_path / "old.keras")
    embed_spec(tmp_path / "old.keras", replace(OLD, outer_threshold=cut))
    opened = open_classifier(tmp_path / "old.keras")
    assert opened.spec == replace(OLD, outer_threshold=None)
    found = opened.probabilities(images[1])
    assert found == pytest.approx(Calibration.of_threshold(cut).probabilities(raw), abs=1e-5)
    clear = abs(raw[:, 1] - cut) > 1e-5
    assert np.array_equal(decide(found)[clear], (raw[:, 1] >= cut)[clear].astype(int))
    assert 20 < decide(found).sum() < 180
    for format, runtime in RUNTIMES.items():
        done = export(tmp_path / "old.keras", format, sorted(images[0].iterdir())[::50])
        outputs = runtime(done.path)(images[1].astype(np.float32))
        assert outputs == pytest.approx(found, abs=1e-4), format
        if format == "onnx":
            again = open_classifier(done.path)
            assert again.spec == opened.spec
            assert again.probabilities(images[1]) == pytest.approx(found, abs=1e-4)
    assert read_spec(tmp_path / "old.keras").outer_threshold == cut, "the file itself is unchanged"


def test_an_onnx_file_of_schema_1_is_moved_by_its_threshold(images, tmp_path):
    opened = open_classifier(write_bright(tmp_path / "old.onnx", OLD))
    raw = images[1].mean(axis=(1, 2, 3)) / 255
    assert np.array_equal(decide(opened.probabilities(images[1])) == 1, raw >= 0.3)
    assert opened.spec.outer_threshold is None
    with_schema_2 = open_classifier(write_bright(tmp_path / "new.onnx", replace(OLD, outer_threshold=None)))
    assert with_schema_2.probabilities(images[1])[:, 1] == pytest.approx(raw, abs=1e-5)


def test_a_model_of_schema_1_without_the_last_layer_is_one_line(tmp_path):
    k = keras()
    inputs = k.Input((32, 32, 3))
    outputs = k.layers.Dense(2, activation="softmax", name="other")(k.layers.GlobalAveragePooling2D()(inputs))
    k.Model(inputs, outputs).save(tmp_path / "m.keras")
    embed_spec(tmp_path / "m.keras", OLD)
    assert load_model(tmp_path / "m.keras").output_shape == (None, 2)
    with pytest.raises(ModelError, match="its last layer is none of `maskgen train`"):
        open_classifier(tmp_path / "m.keras")
