"""The layers of a PyTorch state dict, in the order in which an image passes through them.

State dicts have no order of their own: a ``.pth`` file has that of the definition, a ``.safetensors`` file
that of the alphabet. The names say it. Four ways of naming are known:

========  ========================  =====================================================
naming    first convolution         networks
========  ========================  =====================================================
lukemelas ``_conv_stem``            EfficientNet and Lite of efficientnet-pytorch
timm      ``conv_stem``             EfficientNet, V2, Lite, MobileNetV2 and V3 of timm
features  ``features.0.0``          EfficientNet, V2, MobileNetV2 and V3 of torchvision
resnet    ``conv1``                 ResNet of torchvision and timm
========  ========================  =====================================================
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from maskgen.errors import ModelError

# Parameters of a layer that a network needs, in the order of Keras; BatchNorm also counts its batches.
PARAMETERS = ("weight", "bias", "running_mean", "running_var")
FIRST = {"_conv_stem": "lukemelas", "conv_stem": "timm", "features.0.0": "features", "conv1": "resnet"}

_LUKEMELAS_BLOCK = (
    *("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_se_reduce", "_se_expand", "_project_conv", "_bn2"),
)
_EXCITE = ("se.conv_reduce", "se.conv_expand")
# A convolution that only one kind of timm's blocks has -> the layers of this kind. The first that fits.
_TIMM_BLOCKS = {
    "conv_exp": ("conv_exp", "bn1", *_EXCITE, "conv_pwl", "bn2"),
    "conv_pwl": ("conv_pw", "bn1", "conv_dw", "bn2", *_EXCITE, "conv_pwl", "bn3"),
    "conv_dw": ("conv_dw", "bn1", *_EXCITE, "conv_pw", "bn2"),
    "conv": ("conv", "bn1"),
}
# Around the blocks; MobileNetV3 has no bn2.
_TOPS = {
    "lukemelas": (("_conv_stem", "_bn0"), ("_conv_head", "_bn1", "_fc")),
    "timm": (("conv_stem", "bn1"), ("conv_head", "bn2", "classifier")),
}


@dataclass(frozen=True)
class TorchLayer:
    """A layer of a state dict: its name, and its arrays by parameter."""

    name: str
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def is_norm(self) -> bool:
        """Whether it is a BatchNorm."""
        return "running_var" in self.arrays


def torch_layers(state: Mapping[str, NDArray[Any]]) -> tuple[str, list[TorchLayer]]:
    """The way of naming (see above), and the layers in the order of the network, from its input."""
    layers: dict[str, TorchLayer] = {}
    for key, array in state.items():
        name, _, parameter = key.rpartition(".")
        if parameter in PARAMETERS:
            layers.setdefault(name, TorchLayer(name)).arrays[parameter] = array
    naming = next((own for first, own in FIRST.items() if first in layers), None)
    if naming is None:
        raise ModelError(
            f"its first layer is called {next(iter(state), '')[:80]!r}; known are the networks of "
            f"torchvision, timm and efficientnet-pytorch, which begin with {', '.join(FIRST)}"
        )
    rank = _RANKS[naming]
    return naming, sorted(layers.values(), key=lambda layer: rank(layer.name, layers))


def natural(name: str) -> list[str | int]:
    """Sort key in which numbers inside of names count as numbers: block 2 comes before block 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _features_rank(name: str, _: Mapping[str, TorchLayer]) -> tuple[bool, list[str | int]]:
    return not name.startswith("features."), natural(name)


def _resnet_rank(name: str, _: Mapping[str, TorchLayer]) -> tuple[int, ...]:
    if match := re.fullmatch(r"layer(\d)\.(\d+)\.(?:(conv|bn)(\d)|downsample\.([01]))", name):
        norm = match[3] == "bn" or match[5] == "1"
        # The shortcut comes first, as in the names of Keras.
        return 1, int(match[1]), int(match[2]), int(match[4] or 0), norm
    return (0, _place(name, ("conv1", "bn1"))) if name in ("conv1", "bn1") else (2,)


def _lukemelas_rank(name: str, _: Mapping[str, TorchLayer]) -> tuple[int, ...]:
    if match := re.fullmatch(r"_blocks\.(\d+)\.(\w+)", name):
        return 1, int(match[1]), _place(match[2], _LUKEMELAS_BLOCK)
    return _rank_outside(name, "lukemelas")


def _timm_rank(name: str, layers: Mapping[str, TorchLayer]) -> tuple[int, ...]:
    if match := re.fullmatch(r"(blocks\.(\d+)\.(\d+))\.([\w.]+)", name):
        kinds = (order for kind, order in _TIMM_BLOCKS.items() if f"{match[1]}.{kind}" in layers)
        return 1, int(match[2]), int(match[3]), _place(match[4], next(kinds, ()))
    return _rank_outside(name, "timm")


def _rank_outside(name: str, naming: str) -> tuple[int, ...]:
    before, after = _TOPS[naming]
    return (0, _place(name, before)) if name in before else (2, _place(name, after))


def _place(name: str, order: Sequence[str]) -> int:
    """The place of a name; unknown ones come last, and are refused where layers are compared."""
    return order.index(name) if name in order else len(order)


_RANKS: dict[str, Callable[[str, Mapping[str, TorchLayer]], Any]] = {
    "lukemelas": _lukemelas_rank,
    "timm": _timm_rank,
    "features": _features_rank,
    "resnet": _resnet_rank,
}
