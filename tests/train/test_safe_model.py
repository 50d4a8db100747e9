"""Model files of others: layers and numbers are opened; code, other files and excessive sizes are not."""

import io
import json
import struct
import zipfile
from dataclasses import replace

import pytest
from train_data import needs_onnx, needs_train

from maskgen.__main__ import main
from maskgen.datasets.sample import SHIPS_IN
from maskgen.errors import ConfigurationError, ModelError
from maskgen.train import weights_file
from maskgen.train.classifier import open_classifier
from maskgen.train.model import build_model
from maskgen.train.model_archive import CONFIG, WEIGHTS
from maskgen.train.runtime import keras
from maskgen.train.safe_model import check_model_file, load_model
from maskgen.train.spec import ModelSpec, embed_spec, read_spec
from maskgen.train.weights_file import count_numbers

PORTRAIT = next(SHIPS_IN.glob("*.jpg"))

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None}
MODEL = {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"layers": [DENSE]}}
SPEC = ModelSpec(("female", "male"), 16, "face", 0.25, 0.4321, None, "tiny-cnn")


def written(path, described, **more):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(CONFIG, described if isinstance(described, str) else json.dumps(described))
        for name, data in more.items():
            archive.writestr(name, data)
    return path


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


def test_only_a_checkpoint_may_name_an_optimizer_and_others_are_not_looked_at(tmp_path):
    torch = {"module": "keras.src.backend.torch.optimizers.torch_adam", "class_name": "Adam", "config": {}}
    adam = layer("Adam", "keras.optimizers", learning_rate=0.001)
    for optimizer, refused in ((torch, True), (adam, False)):
        path = written(tmp_path / "model.keras", {**MODEL, "compile_config": {"optimizer": optimizer}})
        check_model_file(path)
        if refused:
            with pytest.raises(ModelError, match=r"torch_adam'"):
                check_model_file(path, compiled=True)
        else:
            check_model_file(path, compiled=True)


@pytest.mark.parametrize("described", ["{", "[" * 100_000, "[]", "null", "3", '"model"'])
def test_what_is_no_description_is_refused(tmp_path, described):
    with pytest.raises(ModelError, match=r"not a \.keras file|not opened"):
        check_model_file(written(tmp_path / "model.keras", described))


@pytest.mark.parametrize("name", ["model.h5", "model.pkl", "model"])
def test_other_formats_are_not_opened(tmp_path, name):
    with pytest.raises(ModelError, match=r"only \.keras files are opened"):
        check_model_file(written(tmp_path / name, MODEL))


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CONFIG, json.dumps(MODEL) + " " * 1_000_000)


def duplicate(path):
    written(path, MODEL)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(CONFIG, "{}")


def edited(offset, values):
    """Writes a model, and then `values` into the entry of its first member in the zip directory."""

    def write(path):
        written(path, MODEL)
        data = bytearray(path.read_bytes())
        start = data.index(b"PK\x01\x02") + offset
        data[start : start + len(values)] = values
        path.write_bytes(data)

    return write


HOSTILE_ARCHIVES = {
    "empty": (lambda path: path.write_bytes(b""), "not a zip"),
    "no zip": (lambda path: path.write_bytes(b"keras" * 100), "not a zip"),
    "cut": (lambda path: path.write_bytes(written(path, MODEL).read_bytes()[:-30]), "not a zip"),
    "damaged": (
        lambda path: path.write_bytes(written(path, MODEL).read_bytes().replace(b"Dense", b"Danse")),
        "CRC",
    ),
    "compressed": (bomb, "is compressed"),
    "two of one name": (duplicate, "two members"),
    "encrypted": (edited(8, struct.pack("<H", 1)), "encrypted|password"),
    "other sizes": (edited(24, struct.pack("<I", 1 << 20)), "compressed"),
    "far too large": (edited(20, struct.pack("<II", 1 << 30, 1 << 30)), "too large"),
    "beyond its end": (edited(20, struct.pack("<II", 1 << 20, 1 << 20)), "overlap"),
    "not there": (edited(42, struct.pack("<I", 1 << 30)), "not a .keras"),
    "other member": (lambda path: written(path, MODEL, **{"assets/x.txt": b"x"}), "'assets/x.txt' is none"),
    "a path outside": (lambda path: written(path, MODEL, **{"../../x": b"x"}), "is none"),
    "no description": (lambda path: zipfile.ZipFile(path, "w").close(), "config.json"),
}


@pytest.mark.parametrize("kind", HOSTILE_ARCHIVES)
def test_a_hostile_archive_is_one_line(tmp_path, kind):
    write, said = HOSTILE_ARCHIVES[kind]
    write(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=said) as caught:
        check_model_file(tmp_path / "model.keras")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ConfigurationError, match="not a model that `maskgen train` wrote"):
        read_spec(tmp_path / "model.keras")


def described(**values):
    return json.dumps({**json.loads(SPEC.to_json()), **values})


def test_what_a_model_says_of_itself_is_checked():
    assert ModelSpec.from_json(described()) == SPEC
    assert ModelSpec.from_json(described(threshold=None, label="age", margin=0)).label == "age"


@pytest.mark.parametrize(
    "values",
    [
        {"classes": ["one"]},
        {"classes": ["a", "a"]},
        {"classes": ["a", 7]},
        {"classes": 7},
        {"classes": [str(number) for number in range(1001)]},
        {"classes": ["a", "b" * 1001]},
        {"classes": ["a", "\x1b[2J"]},
        {"size": 0},
        {"size": 10**9},
        {"size": 32.0},
        {"size": True},
        {"size": "32"},
        {"crop": "everything"},
        {"crop": ["face"]},
        {"margin": float("nan")},
        {"margin": float("inf")},
        {"margin": -1},
        {"margin": "0.25"},
        {"threshold": 2},
        {"threshold": float("nan")},
        {"threshold": True},
        {"label": 7},
        {"backbone": ["x"]},
        {"version": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_description_that_no_training_writes_is_refused(values):
    with pytest.raises(ConfigurationError, match="no description of a maskgen model"):
        ModelSpec.from_json(described(**values))


@pytest.mark.parametrize("text", ["", "[]", "null", "7", "[" * 100_000, '{"schema": 1}'])
def test_what_is_no_description_of_a_model_is_refused(text):
    with pytest.raises(ConfigurationError):
        ModelSpec.from_json(text)


# What an HDF5 file may name outside of itself, or be larger than it is, as a function on its root.
def external_storage(h5py, root):
    root.create_dataset("vars/0", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual(h5py, root):
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    root.create_virtual_dataset("x", layout)


def long_text(h5py, root):
    root.attrs["layer_names"] = ["x" * 100_000]


HOSTILE_WEIGHTS = {
    "external link": (
        lambda h5, root: root.__setitem__("x", h5.ExternalLink("/etc/passwd", "/")),
        "is a link",
    ),
    "soft link": (lambda h5, root: root.__setitem__("x", h5.SoftLink("/elsewhere")), "is a link"),
    "deep link": (lambda h5, root: root.create_group("a/b").__setitem__("x", h5.SoftLink("/a")), "/a/b/x is"),
    "external storage": (external_storage, "does not lie in the file"),
    "virtual": (virtual, "does not lie in the file"),
    "never written": (
        lambda h5, root: root.create_dataset("x", (1 << 40,), "f4"),
        "does not lie in the file",
    ),
    "compressed": (
        lambda h5, root: root.create_dataset("x", data=[0] * 10_000, compression="gzip"),
        "does not lie in the file",
    ),
    "chunks": (
        lambda h5, root: root.create_dataset("x", (1,), "f4", maxshape=(None,), chunks=(1 << 20,)),
        "does not lie in the file",
    ),
    "texts": (lambda h5, root: root.__setitem__("x", ["text"]), "no array of numbers"),
    "references": (lambda h5, root: root.create_dataset("x", (2,), h5.ref_dtype), "no array of numbers"),
    "no shape": (lambda h5, root: root.__setitem__("x", h5.Empty("f4")), "no array of numbers"),
    "attribute of a long text": (long_text, "attribute 'layer_names' of /"),
}


def hdf5(write):
    h5py = pytest.importorskip("h5py")
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        write(h5py, root)
    return file.getvalue()


@pytest.mark.parametrize("kind", HOSTILE_WEIGHTS)
def test_weights_that_do_not_lie_in_their_file_are_refused(kind):
    write, said = HOSTILE_WEIGHTS[kind]
    with pytest.raises(ModelError, match=said):
        count_numbers(hdf5(write))


def test_weights_are_counted_without_being_read():
    def write(h5py, root):
        root["layers/dense/vars/0"] = [[1.0, 2.0]] * 3
        root["layers/dense/vars/1"] = 7
        root["again"] = root["layers"]
        root["layers/round"] = root
        root.attrs["layer_names"] = [b"dense"]
        root.attrs["backend"] = "tensorflow"

    assert count_numbers(hdf5(write)) == 7


def test_the_arrays_of_a_file_are_limited_together(monkeypatch):
    file = hdf5(lambda h5py, root: [root.__setitem__(name, [1.0] * 100) for name in "abc"])
    assert count_numbers(file) == 300
    monkeypatch.setattr(weights_file, "LARGEST_WEIGHTS", 2_000)
    with pytest.raises(ModelError, match="its arrays have 2,400 bytes"):
        count_numbers(file)


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
    with pytest.raises(ModelError, match="torch_adam"):
        load_model(path, compile=True)


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
    with pytest.raises(ModelError, match=r"give a \.keras, \.h5"):
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
