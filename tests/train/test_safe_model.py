"""Model files of others: layers and numbers are opened, code is not, and nothing of it has run by then."""

import json
import zipfile

import pytest

from maskgen.errors import ModelError
from maskgen.train.safe_model import check_model_file, load_model

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None}
MODEL = {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"layers": [DENSE]}}


def written(path, described):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", described if isinstance(described, str) else json.dumps(described))
    return path


def with_layer(layer):
    return {**MODEL, "config": {"layers": [DENSE, layer]}}


def test_layers_of_keras_are_let_through(tmp_path):
    check_model_file(written(tmp_path / "model.keras", MODEL))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            {"class_name": "Lambda", "module": "keras.layers", "config": {}},
            "'Lambda', which may run any code",
        ),
        ({"class_name": "__lambda__", "config": {"value": "gASV"}}, "'__lambda__', which may run any code"),
        ({"class_name": "TFSMLayer", "module": "keras.layers", "config": {}}, "may run any code"),
        ({"class_name": "system", "module": "os", "config": "id"}, "'system' of 'os'"),
        ({"class_name": "run", "module": "subprocess"}, "'run' of 'subprocess'"),
        ({"class_name": "get_file", "module": "keras.src.utils.file_utils"}, "'get_file' of"),
        ({"class_name": "X", "module": "keras.layersx"}, "'X' of 'keras.layersx'"),
        ({"config": [[{"class_name": "Lambda"}]]}, "may run any code"),
    ],
)
def test_code_is_refused_however_deep(tmp_path, layer, said):
    with pytest.raises(ModelError, match=said):
        check_model_file(written(tmp_path / "model.keras", with_layer(layer)))


@pytest.mark.parametrize("described", ["{", "[" * 100_000])
def test_what_is_no_description_is_refused(tmp_path, described):
    with pytest.raises(ModelError, match=r"not a \.keras file"):
        check_model_file(written(tmp_path / "model.keras", described))


@pytest.mark.parametrize("name", ["model.h5", "model.pkl", "model"])
def test_other_formats_are_not_opened(tmp_path, name):
    with pytest.raises(ModelError, match=r"only \.keras files are opened"):
        check_model_file(written(tmp_path / name, MODEL))


def test_a_lambda_layer_is_refused_by_the_real_library(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match="Lambda"):
        load_model(tmp_path / "model.keras")
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    plain.save(tmp_path / "plain.keras")
    assert load_model(tmp_path / "plain.keras").output_shape == (None, 2)
