"""How torchvision, timm and efficientnet-pytorch call the layers of Keras's networks."""

import re

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


def published_names(name, naming, layers):
    """Name of a layer in Keras -> its name in a library, for the layers with weights of a backbone."""
    families = {"mobilenet_v2": mobilenet_v2_names, "mobilenet_v3": mobilenet_v3_names}
    names = resnet_names if name == "resnet50" else families.get(name, efficientnet_names)
    return names(layers, naming)
