"""Initial weights from Keras's files: with and without ImageNet's classes, in each of its formats."""

import numpy as np
import pytest
from train_data import needs_train

from maskgen.errors import ModelError
from maskgen.keras_runtime import keras
from maskgen.train.model.weights.load import load_backbone

pytestmark = needs_train


def application(top):
    """A small network of Keras with random weights, also in its BatchNorms."""
    keras().utils.set_random_seed(int(top) + 1)
    network = keras().applications.MobileNetV2(include_top=top, weights=None)
    draws = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras().layers.BatchNormalization):
            layer.set_weights([draws.uniform(0.5, 1, weight.shape) for weight in layer.weights])
    return network


@pytest.fixture(scope="module", params=[False, True], ids=["notop", "top"])
def network(request):
    return application(request.param)


@pytest.mark.parametrize("file", ["net.weights.h5", "net.h5", "model.keras"])
def test_backbones_of_keras_files(network, tmp_path, file):
    path = tmp_path / file
    if file == "net.h5":
        # The format of the files that Keras publishes.
        legacy = pytest.importorskip("keras.src.legacy.saving.legacy_h5_format")
        with pytest.importorskip("h5py").File(path, "w") as root:
            legacy.save_weights_to_hdf5_group(root, network)
    elif file == "model.keras":
        network.save(path)
    else:
        network.save_weights(path)
    trunk = load_backbone("mobilenet_v2", keras().Input((64, 64, 3), name="rgb"), str(path))
    for name in ("Conv1", "block_3_depthwise", "block_16_project_BN", "Conv_1_bn"):
        pairs = zip(trunk.get_layer(name).get_weights(), network.get_layer(name).get_weights(), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs), name


def test_weights_of_another_network_are_refused_with_the_reason(tmp_path):
    path = tmp_path / "net.weights.h5"
    keras().applications.MobileNetV3Small(include_top=False, weights=None).save_weights(path)
    with pytest.raises(ModelError, match=r"with or without ImageNet's classes: .*"):
        load_backbone("mobilenet_v2", keras().Input((64, 64, 3), name="rgb"), str(path))
    path = tmp_path / "model.h5"
    keras().applications.MobileNetV2(include_top=False, weights=None).save(path)
    with pytest.raises(ModelError, match=r"save a whole model as \.keras"):
        load_backbone("mobilenet_v2", keras().Input((64, 64, 3), name="rgb"), str(path))
    path = tmp_path / "net.keras"
    keras().applications.MobileNetV2(include_top=False, weights=None, alpha=0.5).save(path)
    with pytest.raises(ModelError, match=r"no model with this backbone: its layer Conv1 has shapes"):
        load_backbone("mobilenet_v2", keras().Input((64, 64, 3), name="rgb"), str(path))
