"""Model files of others: layers and numbers are opened; code, other files and excessive sizes are not."""

import json
import zipfile
from dataclasses import replace

import pytest
from model_files import DENSE, MODEL, SPEC, external_storage, hdf5, written
from train_data import needs_onnx, needs_train

from maskgen.__main__ import main
from maskgen.datasets.sample import SHIPS_IN
from maskgen.errors import ModelError
from maskgen.keras_runtime import keras
from maskgen.train.model.build import build_model
from maskgen.train.model.classifier import open_classifier
from maskgen.train.model.load import CONFIG, WEIGHTS, check_model_file, load_model
from maskgen.train.spec import embed_spec

PORTRAIT = next(SHIPS_IN.glob("*.jpg"))


def with_layer(layer):
    return {**MODEL, "config": {"layers": [DENSE, layer]}}


def test_layers_of_keras_are_let_through(tmp_path):
    check_model_file(written(tmp_path / "model.keras", MODEL))


def layer(name, module="keras.layers", /, **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (layer("Lambda"), "'Lambda' of 'keras.layers'"),
        ({"class_name": "__lambda__", "config": {"value": "gASV"}}, "'__lambda__' of None"),
        (layer("TFSMLayer"), "'TFSMLayer'"),
        (layer("StringLookup", vocabulary="/etc/passwd"), "'StringLookup'"),
        (layer("TextVectorization", vocabulary="/etc/passwd"), "'TextVectorization'"),
        (layer("Conv3D"), "'Conv3D'"),
        ({"class_name": "system", "module": "os", "config": "id"}, "'system' of 'os'"),
        ({"class_name": "run", "module": "subprocess"}, "'run' of 'subprocess'"),
        ({"class_name": "get_file", "module": "keras.src.utils.file_utils"}, "'get_file' of"),
        ({"class_name": "Dense", "module": "keras.layersx"}, "'Dense' of 'keras.layersx'"),
        ({"class_name": ["Dense"], "module": ["keras.layers"]}, "which no model of maskgen has"),
        ({**DENSE, "registered_name": "mine>Dense"}, "'Dense' of 'mine>Dense'"),
        ({"config": [[{"class_name": "Lambda"}]]}, "'Lambda'"),
        (layer("Sequential", "keras", layers=[layer("Lambda")]), "'Lambda'"),
        (layer("Dense", activation="/etc/passwd"), "activation '/etc/passwd'"),
        (layer("Dense", kernel_regularizer=layer("L2", "keras.regularizers")), "'L2'"),
        (layer("Dense", kernel_initializer=layer("Orthogonal", "keras.initializers")), "'Orthogonal'"),
        (layer("Dense", units=10**9), "units is 1e\\+09"),
        (layer("Dense", units=[float("inf")]), "units is inf"),
        (layer("Rescaling", scale=float("nan")), "scale is nan"),
        (layer("Dense", name="x" * 1000), "name 'xxx"),
        (layer("Normalization", axis=-1), "not opened"),
        (
            {**layer("Normalization", axis=-1), "build_config": {"input_shape": [None, 9, 9, 4]}},
            "three channels",
        ),
        ({**MODEL, "compile_config": {"optimizer": layer("Adam", "keras.optimizers")}}, "'Adam'"),
        (layer("Functional", "keras", layers=[layer("Dense")] * 5_000), "at most 5,000 layers"),
    ],
)
def test_what_no_model_of_ours_has_is_refused_however_deep(tmp_path, layer, said):
    with pytest.raises(ModelError, match=said):
        check_model_file(written(tmp_path / "model.keras", with_layer(layer)))


def test_an_optimizer_is_not_looked_at(tmp_path):
    torch = {"module": "keras.src.backend.torch.optimizers.torch_adam", "class_name": "Adam", "config": {}}
    path = written(tmp_path / "model.keras", {**MODEL, "compile_config": {"optimizer": torch}})
    assert "compile_config" not in check_model_file(path)


@pytest.mark.parametrize("described", ["{", "[" * 100_000, "[]", "null", "3", '"model"'])
def test_what_is_no_description_is_refused(tmp_path, described):
    with pytest.raises(ModelError, match=r"not a \.keras file|not opened"):
        check_model_file(written(tmp_path / "model.keras", described))


@pytest.mark.parametrize("name", ["model.h5", "model.pkl", "model"])
def test_other_formats_are_not_opened(tmp_path, name):
    with pytest.raises(ModelError, match=r"only \.keras files are opened"):
        check_model_file(written(tmp_path / name, MODEL))


def saved(path, change=lambda config: config, weights=None):
    """A tiny model as `maskgen train` saves it, its description changed and its weights replaced."""
    build_model("tiny-cnn", 2, size=16, head="128", weights="none").save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members[CONFIG])
    members[CONFIG] = json.dumps(change(config) or config)
    members[WEIGHTS] = weights or members[WEIGHTS]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    embed_spec(path, SPEC)
    return path


def layers_of(config, name):
    return [each for each in config["config"]["layers"] if each["class_name"] == name]


def wide(config):
    hidden, classes = layers_of(config, "Dense")
    hidden["config"]["units"] = 60_000
    classes["build_config"]["input_shape"] = [None, 60_000]


def padded(config):
    layers_of(config, "InputLayer")[0]["config"]["batch_shape"] = [None, 60_000, 60_000, 3]


def with_optimizer_of_torch(config):
    module = "keras.src.backend.torch.optimizers.torch_adam"
    config["compile_config"] = {"optimizer": {"module": module, "class_name": "Adam", "config": {}}}


@needs_train
@pytest.mark.parametrize(
    ("change", "weights", "said"),
    [
        (wide, None, "weights, its file only"),
        (padded, None, "outputs for one image"),
        (lambda config: config["config"]["layers"].pop(3) and None, None, "Keras cannot read it"),
        (lambda config: config["config"].pop("input_layers") and None, None, "Keras cannot read it"),
        (
            lambda config: layers_of(config, "Conv2D")[0]["config"].update(kernel_size=0),
            None,
            "cannot read it",
        ),
        (lambda config: None, b"no HDF5", "its weights are not opened"),
        (lambda config: None, b"\x89HDF\r\n\x1a\n" + bytes(500), "its weights are not opened"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_model_that_asks_for_more_than_its_file_holds_is_one_line(tmp_path, capsys, change, weights, said):
    path = saved(tmp_path / "model.keras", change, weights)
    assert main(["predict", str(path), str(PORTRAIT), "--no-detect"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line and str(path) in line


@needs_train
def test_a_model_that_keras_saved_on_torch_is_opened_without_its_optimizer(tmp_path):
    path = saved(tmp_path / "model.keras", with_optimizer_of_torch)
    assert load_model(path).output_shape == (None, 2)


@needs_train
@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_given_weights_go_through_the_same_checks(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(hdf5(external_storage))
    with pytest.raises(ModelError, match=r"vars/0/ does not lie in the file"):
        build_model("tiny-cnn", 2, size=32, weights=str(path))
    path.write_bytes(b"damaged")
    with pytest.raises(ModelError, match="its weights are not opened"):
        build_model("tiny-cnn", 2, size=32, weights=str(path))
    sharded = path.rename(tmp_path / "w.weights.json")
    with pytest.raises(ModelError, match=r"one of the kinds \.keras, \.h5"):
        build_model("tiny-cnn", 2, size=32, weights=str(sharded))


@needs_train
def test_a_model_that_says_another_size_than_it_has_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    build_model("tiny-cnn", 2, size=16, weights="none").save(path)
    embed_spec(path, replace(SPEC, size=24))
    with pytest.raises(ModelError, match=r"goes from \(None, 16, 16, 3\)"):
        open_classifier(path)


@needs_train
def test_real_layers_that_run_code_or_read_files_are_refused(tmp_path):
    k = keras()
    words = tmp_path / "words.txt"
    words.write_text("secret")
    for name, layer, shape in (
        ("Lambda", k.layers.Lambda(lambda x: x), (3,)),
        ("StringLookup", k.layers.StringLookup(vocabulary=str(words)), (1,)),
    ):
        kind = "string" if name == "StringLookup" else "float32"
        k.Sequential([k.Input(shape, dtype=kind), layer]).save(tmp_path / "model.keras")
        with pytest.raises(ModelError, match=f"'{name}'|is none of a model"):
            load_model(tmp_path / "model.keras")
    plain = k.Sequential([k.Input((3,)), k.layers.Dense(2)])
    plain.save(tmp_path / "plain.keras")
    assert load_model(tmp_path / "plain.keras").output_shape == (None, 2)


FOREIGN = {
    "no such file": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a model\n" * 9),
    "zip": lambda path: written(path, {}),
    "folder": lambda path: path.mkdir(),
    "SavedModel": lambda path: (path.mkdir(), (path / "saved_model.pb").write_bytes(b"x")),
}


@needs_train
@needs_onnx
@pytest.mark.parametrize("suffix", [".keras", ".onnx", ".tflite", ".h5", ""])
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_model_is_one_line_of_every_command(tmp_path, capsys, suffix, kind):
    path = tmp_path / f"model{suffix}"
    FOREIGN[kind](path)
    for command in (
        ["predict", str(path), str(PORTRAIT), "--no-detect"],
        ["evaluate", str(path), "--on", str(tmp_path)],
        ["bench", str(path)],
        ["export", str(path), "--format", "onnx"],
    ):
        assert main(command) == 2, command
        assert len(capsys.readouterr().err.splitlines()) == 1, command
