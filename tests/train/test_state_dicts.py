"""State dicts of torchvision, timm and efficientnet-pytorch, named as they publish them, in Keras backbones.

The arrays of a backbone are written under the names that a library gives them, in the order of the alphabet,
and each has to come back to its own layer.
"""

import json
import re

import numpy as np
import pytest
from torch_files import tensors_of, write_zip
from train_data import needs_train

from maskgen.errors import ModelError
from maskgen.keras_runtime import keras
from maskgen.train.model.build import build_model
from maskgen.train.model.weights.convention import CENTRED, IMAGENET, LITE, convention_of
from maskgen.train.model.weights.load import load_backbone
from maskgen.train.model.weights.state_dict import torch_layers
from maskgen.train.model.weights.transfer import transfer

pytestmark = needs_train

SIZE = 32
# Part of a block in Keras's EfficientNet -> the same in efficientnet-pytorch.
LUKEMELAS = {
    **{"expand_conv": "_expand_conv", "expand_bn": "_bn0", "dwconv": "_depthwise_conv", "bn": "_bn1"},
    **{"se_reduce": "_se_reduce", "se_expand": "_se_expand"},
    **{"project_conv": "_project_conv", "project_bn": "_bn2"},
}
# The same in timm: blocks that expand, those that do not, and fused ones with and without expansion.
EXCITE = {"se_reduce": "se.conv_reduce", "se_expand": "se.conv_expand"}
TIMM = {
    "expand": {
        **{"expand_conv": "conv_pw", "expand_bn": "bn1", "dwconv": "conv_dw", "bn": "bn2", **EXCITE},
        **{"project_conv": "conv_pwl", "project_bn": "bn3"},
    },
    "plain": {
        **{"dwconv": "conv_dw", "bn": "bn1", **EXCITE, "project_conv": "conv_pw", "project_bn": "bn2"},
    },
    "fused": {
        **{"expand_conv": "conv_exp", "expand_bn": "bn1", "project_conv": "conv_pwl", "project_bn": "bn2"},
    },
    "single": {"project_conv": "conv", "project_bn": "bn1"},
}
# The same in torchvision, which numbers them.
FEATURES = {
    "expand": {
        **{"expand_conv": "0.0", "expand_bn": "0.1", "dwconv": "1.0", "bn": "1.1"},
        **{"se_reduce": "2.fc1", "se_expand": "2.fc2", "project_conv": "3.0", "project_bn": "3.1"},
    },
    "plain": {
        **{"dwconv": "0.0", "bn": "0.1", "se_reduce": "1.fc1", "se_expand": "1.fc2"},
        **{"project_conv": "2.0", "project_bn": "2.1"},
    },
    "fused": {"expand_conv": "0.0", "expand_bn": "0.1", "project_conv": "1.0", "project_bn": "1.1"},
    "single": {"project_conv": "0.0", "project_bn": "0.1"},
}
ENDS = {
    "lukemelas": {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"},
    "timm": {"stem_conv": "conv_stem", "stem_bn": "bn1", "top_conv": "conv_head", "top_bn": "bn2"},
    "features": {
        **{"stem_conv": "features.0.0", "stem_bn": "features.0.1"},
        **{"top_conv": "features.{last}.0", "top_bn": "features.{last}.1"},
    },
}


def efficientnet_names(layers, naming):
    """Keras name -> the library's, for EfficientNet of all versions."""
    blocks = list(dict.fromkeys(match[0] for name in layers if (match := re.match(r"block\d[a-z]_", name))))
    last = int(blocks[-1][5]) + 1
    names = {own: name.format(last=last) for own, name in ENDS[naming].items()}
    for number, block in enumerate(blocks):
        parts = {
            name.removeprefix(block).replace("dwconv2", "dwconv"): name for name in layers if block in name
        }
        kind = ("expand" if "dwconv" in parts else "fused") if "expand_conv" in parts else None
        kind = kind or ("plain" if "dwconv" in parts else "single")
        stage, place = int(block[5]), ord(block[6]) - ord("a")
        for part, name in parts.items():
            if naming == "lukemelas":
                names[name] = f"_blocks.{number}.{LUKEMELAS[part]}"
            elif naming == "timm":
                names[name] = f"blocks.{stage - 1}.{place}.{TIMM[kind][part]}"
            else:
                names[name] = f"features.{stage}.{place}.block.{FEATURES[kind][part]}"
    return names


def mobilenet_v2_names(layers, naming):
    """Keras name -> the library's, for MobileNetV2."""
    torchvision = naming == "features"
    ends = ("features.0.0", "features.0.1", "features.18.0", "features.18.1")
    if not torchvision:
        ends = ("conv_stem", "bn1", "conv_head", "bn2")
    names = dict(zip(("Conv1", "bn_Conv1", "Conv_1", "Conv_1_bn"), ends, strict=True))
    repeats = (1, 2, 3, 4, 3, 3, 1)
    places = [(stage, place) for stage, count in enumerate(repeats) for place in range(count)]
    parts = {
        "expand": ("conv.0.0", "conv_pw"),
        "expand_BN": ("conv.0.1", "bn1"),
        "depthwise": ("conv.1.0", "conv_dw"),
        "depthwise_BN": ("conv.1.1", "bn2"),
        "project": ("conv.2", "conv_pwl"),
        "project_BN": ("conv.3", "bn3"),
    }
    first = {
        "depthwise": ("conv.0.0", "conv_dw"),
        "depthwise_BN": ("conv.0.1", "bn1"),
        "project": ("conv.1", "conv_pw"),
        "project_BN": ("conv.2", "bn2"),
    }
    for name in layers:
        if match := re.fullmatch(r"(?:block_(\d+)|expanded_conv)_(\w+)", name):
            number = int(match[1] or 0)
            part = (parts if number else first)[match[2]]
            stage, place = places[number]
            names[name] = (
                f"features.{number + 1}.{part[0]}" if torchvision else f"blocks.{stage}.{place}.{part[1]}"
            )
    return names


def mobilenet_v3_names(layers, naming):
    """Keras name -> the library's, for MobileNetV3 Large."""
    torchvision = naming == "features"
    ends = ("features.0.0", "features.0.1", "features.16.0", "features.16.1")
    if not torchvision:
        ends = ("conv_stem", "bn1", "blocks.6.0.conv", "blocks.6.0.bn1")
    names = dict(zip(("conv", "conv_bn", "conv_1", "conv_1_bn"), ends, strict=True))
    repeats = (1, 2, 3, 4, 2, 3)
    places = [(stage, place) for stage, count in enumerate(repeats) for place in range(count)]
    parts = {
        **{"expand": "expand_conv", "expand_bn": "expand_bn", "depthwise": "dwconv", "depthwise_bn": "bn"},
        **{"squeeze_excite_conv": "se_reduce", "squeeze_excite_conv_1": "se_expand"},
        **{"project": "project_conv", "project_bn": "project_bn"},
    }
    for name in layers:
        if not (match := re.fullmatch(r"expanded_conv(?:_(\d+))?_(\D\w*)", name)):
            continue
        number, part = int(match[1] or 0), parts[match[2]]
        excited = any(f"_{number}_squeeze" in each for each in layers)
        kind, (stage, place) = "expand" if number else "plain", places[number]
        part_number = FEATURES[kind][part]
        if not excited:
            part_number = {"3.0": "2.0", "3.1": "2.1", "2.0": "1.0", "2.1": "1.1"}.get(
                part_number if part.startswith("project") else "", part_number
            )
        own = f"blocks.{stage}.{place}.{TIMM[kind][part]}"
        names[name] = f"features.{number + 1}.block.{part_number}" if torchvision else own
    return names


def resnet_names(layers, _):
    names = {"conv1_conv": "conv1", "conv1_bn": "bn1"}
    for name in layers:
        if match := re.fullmatch(r"conv(\d)_block(\d)_(\d)_(conv|bn)", name):
            stage, block, place, kind = int(match[1]) - 1, int(match[2]) - 1, match[3], match[4]
            part = f"downsample.{int(kind == 'bn')}" if place == "0" else f"{kind}{place}"
            names[name] = f"layer{stage}.{block}.{part}"
    return names


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
    rename = {
        "mobilenet_v2": mobilenet_v2_names,
        "mobilenet_v3": mobilenet_v3_names,
        "resnet50": resnet_names,
    }
    names = rename.get(name, efficientnet_names)(layers, naming)
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


@pytest.mark.parametrize(
    ("naming", "backbone", "file", "symmetric", "epsilon", "pixels"),
    [
        ("features", "mobilenet_v2", "mobilenet_v2-7ebf99e0.pth", True, 1e-5, IMAGENET),
        ("features", "efficientnet_b4", "efficientnet_b4_rwightman-23ab8bcd.pth", True, 1e-5, IMAGENET),
        ("features", "efficientnet_b7", "efficientnet_b7_lukemelas-c5b4e57e.pth", True, 1e-3, IMAGENET),
        ("features", "efficientnetv2_s", "efficientnet_v2_s-dd5fe13b.pth", True, 1e-3, IMAGENET),
        ("features", "mobilenet_v3", "mobilenet_v3_large-5c1a4163.pth", True, 1e-3, IMAGENET),
        ("resnet", "resnet50", "resnet50-0676ba61.pth", True, 1e-5, IMAGENET),
        ("lukemelas", "efficientnet_b0", "efficientnet-b0-355c32eb.pth", False, 1e-3, IMAGENET),
        ("lukemelas", "efficientnet_b0", "adv-efficientnet-b0-b64d5a18.pth", False, 1e-3, CENTRED),
        ("lukemelas", "efficientnet_lite0", "efficientnet-lite0-57934424.pth", False, 1e-3, LITE),
        ("timm", "efficientnet_b0", "efficientnet_b0_ra-3dd342df.pth", True, 1e-5, IMAGENET),
        ("timm", "efficientnet_b0", "tf_efficientnet_b0_aa-827b6e33.pth", False, 1e-3, IMAGENET),
        ("timm", "efficientnet_b0", "tf_efficientnet_b0.ap_in1k.safetensors", False, 1e-3, CENTRED),
        ("timm", "efficientnet_lite3", "model.safetensors", False, 1e-3, CENTRED),
        ("timm", "efficientnetv2_b2", "model.safetensors", False, 1e-3, IMAGENET),
        ("timm", "efficientnetv2_s", "tf_efficientnetv2_s.in21k.pth", False, 1e-3, CENTRED),
        ("timm", "mobilenet_v2", "mobilenetv2_100_ra-b33bc2c4.pth", True, 1e-5, IMAGENET),
        ("timm", "mobilenet_v3", "mobilenetv3_large_100_ra-f55367f5.pth", True, 1e-5, IMAGENET),
    ],
)
def test_conventions_of_published_files(tmp_path, naming, backbone, file, symmetric, epsilon, pixels):
    found = convention_of(naming, backbone, tmp_path / file)
    assert (found.symmetric, found.epsilon, found.pixels, found.certain) == (symmetric, epsilon, pixels, True)


def test_timm_config_beside_a_file_says_how_it_was_trained(tmp_path, caplog):
    config = {"architecture": "tf_efficientnet_b0", "pretrained_cfg": {"mean": [0.1] * 3, "std": [0.2] * 3}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = convention_of("timm", "efficientnet_b0", tmp_path / "model.safetensors")
    assert (found.symmetric, found.pixels) == (False, ((0.1,) * 3, (0.2,) * 3))
    for bad in ('{"pretrained_cfg": {"mean": [1], "std": [0, 1, 1]}}', "{"):
        (tmp_path / "config.json").write_text(bad)
        with pytest.raises(ModelError, match=r"config\.json"):
            convention_of("timm", "efficientnet_b0", tmp_path / "model.safetensors")


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
