"""How the networks in published files were trained: padding, BatchNorm's epsilon, and the scale of pixels."""

import json

import pytest

from maskgen.errors import ModelError
from maskgen.train.model.weights.convention import CENTRED, IMAGENET, LITE, convention_of


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


def test_timm_config_beside_a_file_says_how_it_was_trained(tmp_path):
    config = {"architecture": "tf_efficientnet_b0", "pretrained_cfg": {"mean": [0.1] * 3, "std": [0.2] * 3}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = convention_of("timm", "efficientnet_b0", tmp_path / "model.safetensors")
    assert (found.symmetric, found.pixels) == (False, ((0.1,) * 3, (0.2,) * 3))
    for bad in ('{"pretrained_cfg": {"mean": [1], "std": [0, 1, 1]}}', "{"):
        (tmp_path / "config.json").write_text(bad)
        with pytest.raises(ModelError, match=r"config\.json"):
            convention_of("timm", "efficientnet_b0", tmp_path / "model.safetensors")
