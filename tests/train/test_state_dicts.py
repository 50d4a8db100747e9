"""State dicts of torchvision, timm and efficientnet-pytorch, named as they publish them, in Keras backbones.

The arrays of a backbone are written under the names that a library gives them, in the order of the alphabet,
and each has to come back to its own layer.
"""

import numpy as np
import pytest
from published_names import published_names
from torch_files import tensors_of, write_zip
from train_data import needs_train

from maskgen.errors import ModelError
from maskgen.keras_runtime import keras
from maskgen.train.model.build import build_model
from maskgen.train.model.weights.convention import IMAGENET, convention_of
from maskgen.train.model.weights.load import load_backbone
from maskgen.train.model.weights.state_dict import torch_layers
from maskgen.train.model.weights.transfer import transfer

pytestmark = needs_train

SIZE = 32


def torch_arrays(layer, draws):
    """Random arrays for a layer, by parameter, in PyTorch's layout; variances are positive."""
    shapes = [tuple(weight.shape) for weight in layer.weights]
    if isinstance(layer, keras().layers.BatchNormalization):
        names = ("weight", "bias", "running_mean", "running_var")
        arrays = {name: draws.uniform(0.5, 1, shapes[0]).astype(np.float32) for name in names}
        return {**arrays, "num_batches_tracked": np.array(3, np.int64)}
    height, width, before, after = shapes[0]
    depthwise = isinstance(layer, keras().layers.DepthwiseConv2D)
    shape = (before, 1, height, width) if depthwise else (after, before, height, width)
    arrays = {"weight": draws.normal(0, 0.1, shape).astype(np.float32)}
    return arrays | ({"bias": draws.normal(0, 0.1, shapes[1]).astype(np.float32)} if layer.use_bias else {})


def weighted(trunk):
    return {
        layer.name: layer
        for layer in trunk.layers
        if layer.weights and not isinstance(layer, keras().layers.Normalization)
    }


def trunk_of(name, weights="none", size=SIZE):
    return load_backbone(name, keras().Input((size, size, 3), name="rgb"), str(weights))


def published(name, naming, seed=0, classes=("classifier.1",)):
    """A state dict of a backbone, in the order of the alphabet, and its Keras layers' PyTorch names."""
    layers, draws = weighted(trunk_of(name)), np.random.default_rng(seed)
    names = published_names(name, naming, layers)
    assert set(names) == set(layers)
    state = {
        f"{names[own]}.{parameter}": array
        for own, layer in layers.items()
        for parameter, array in torch_arrays(layer, draws).items()
    }
    for each in classes:
        state |= {f"{each}.weight": np.zeros((10, 4), np.float32), f"{each}.bias": np.zeros(10, np.float32)}
    return dict(sorted(state.items())), names


@pytest.mark.parametrize(
    ("name", "naming", "classes"),
    [
        ("efficientnet_b0", "lukemelas", ("_fc",)),
        ("efficientnet_b0", "timm", ("classifier",)),
        ("efficientnet_b0", "features", ("classifier.1",)),
        ("efficientnetv2_b0", "timm", ("classifier",)),
        ("efficientnetv2_b0", "features", ()),
        ("mobilenet_v2", "features", ("classifier.1",)),
        ("mobilenet_v2", "timm", ("classifier",)),
        ("mobilenet_v3", "features", ("classifier.0", "classifier.3")),
        ("mobilenet_v3", "timm", ("conv_head", "classifier")),
        ("resnet50", "resnet", ("fc",)),
    ],
)
def test_each_array_comes_to_its_own_layer(tmp_path, name, naming, classes):
    state, names = published(name, naming, classes=classes)
    trunk = trunk_of(name, write_zip(tmp_path / "net.pth", tensors_of(state)))
    epsilon = convention_of(naming, name, tmp_path / "net.pth").epsilon
    for own, layer in weighted(trunk).items():
        found = layer.get_weights()
        if isinstance(layer, keras().layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            scale, shift, mean, variance = (state[f"{names[own]}.{part}"] for part in parts)
            expected = [
                scale * np.sqrt((variance + layer.epsilon) / (variance + epsilon)),
                shift,
                mean,
                variance,
            ]
        else:
            depthwise = isinstance(layer, keras().layers.DepthwiseConv2D)
            kernel = state[f"{names[own]}.weight"].transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
            expected = [kernel, *([state[f"{names[own]}.bias"]] if layer.use_bias else [])]
        for one, other in zip(found, expected, strict=True):
            assert np.allclose(one, other, rtol=1e-5), own


def test_strides_pixels_and_epsilon_are_those_of_the_training(tmp_path):
    """The stem's output, computed by hand as PyTorch does and as TensorFlow does."""
    state, _ = published("efficientnet_lite0", "timm")
    image = np.random.default_rng(1).uniform(0, 255, (1, SIZE, SIZE, 3)).astype(np.float32)
    for file, sides, epsilon, mean, deviation in (
        ("efficientnet_lite0_ra.pth", (1, 1), 1e-5, *map(np.array, IMAGENET)),
        ("tf_efficientnet_lite0.pth", (0, 1), 1e-3, 0.5, 0.5),
    ):
        trunk = trunk_of("efficientnet_lite0", write_zip(tmp_path / file, tensors_of(state)))
        pixels = np.pad((image / 255 - mean) / deviation, ((0, 0), sides, sides, (0, 0)))
        kernel = state["conv_stem.weight"].transpose(2, 3, 1, 0)
        ops = keras().ops
        x = ops.convert_to_numpy(ops.conv(pixels.astype(np.float32), kernel, strides=2, padding="valid"))
        x = (x - state["bn1.running_mean"]) / np.sqrt(state["bn1.running_var"] + epsilon)
        expected = np.clip(x * state["bn1.weight"] + state["bn1.bias"], 0, 6)
        stem = keras().Model(trunk.inputs, trunk.get_layer("stem_relu").output).predict_on_batch(image)
        assert stem == pytest.approx(expected, abs=1e-4), file


def test_a_guess_is_told(tmp_path, caplog):
    state, _ = published("efficientnet_lite0", "timm")
    trunk_of("efficientnet_lite0", write_zip(tmp_path / "net.pth", tensors_of(state)))
    (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
    assert "PyTorch's padding, epsilon 1e-05" in record.message and "must contain tf_" in record.message


def changed(state, **changes):
    return {**state, **{name.replace("__", "."): array for name, array in changes.items()}}


def test_the_first_layer_that_does_not_fit_is_named_with_both_shapes(tmp_path):
    state, _ = published("efficientnet_lite0", "lukemelas", classes=("_fc",))
    ones = np.ones(3, np.float32)
    cases = [
        (changed(state, _blocks__3___expand_conv__weight=np.ones((9, 40, 1, 1), np.float32)), "1x1x40x9"),
        (changed(state, _bn0__running_var=ones), r"_bn0 has shape 32 and 32 and 32 and 3 .* stem_bn"),
        ({k: v for k, v in state.items() if "_bn0.bias" not in k}, "_bn0 has shape 32 and 32 and 32 in"),
        ({k: v for k, v in state.items() if "15" not in k}, r"_conv_head has shape 1x1x320x1280"),
        (changed(state, _extra__weight=ones), "1 layers more than the backbone, from _extra"),
        (changed(state, _bn0__bias=np.full(32, np.nan, np.float32)), "_bn0 has numbers that are not finite"),
        ({"encoder.weight": ones}, "its first layer is called 'encoder.weight'"),
    ]
    trunk = trunk_of("efficientnet_lite0")
    for case, said in cases:
        with pytest.raises(ModelError, match=said):
            transfer(trunk, torch_layers(case)[1], epsilon=1e-5)
    path = write_zip(tmp_path / "lite.pth", tensors_of(state))
    with pytest.raises(ModelError, match=r"lite\.pth: not the weights of mobilenet_v2: the layer _blocks"):
        trunk_of("mobilenet_v2", path)


def test_a_run_that_began_from_a_state_dict_keeps_its_padding_and_scale(tmp_path):
    state, _ = published("mobilenet_v2", "features")
    path = write_zip(tmp_path / "mobilenet_v2.pth", tensors_of(state))
    first = build_model("mobilenet_v2", 2, size=SIZE, weights=str(path))
    first.save(tmp_path / "best.keras")
    second = build_model("mobilenet_v2", 3, size=SIZE, weights=str(tmp_path / "best.keras"))
    image = np.random.default_rng(2).uniform(0, 255, (1, SIZE, SIZE, 3)).astype(np.float32)
    features = [
        keras().Model(model.inputs, model.get_layer("head_pool").output).predict_on_batch(image)
        for model in (first, second)
    ]
    assert features[0] == pytest.approx(features[1], rel=1e-4)
