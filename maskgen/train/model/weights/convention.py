"""How a PyTorch network was trained: what its weights do not say, and a Keras backbone does otherwise.

The same layers compute other features if the borders are padded otherwise, if BatchNorm has another epsilon,
or if the pixels are scaled otherwise. No state dict says so. It follows from the library that the names of
the layers belong to, from the network, and for timm from the name of the model.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskgen.errors import ModelError
from maskgen.files.json_text import from_json
from maskgen.keras_runtime import one_line

Channels = tuple[float, float, float]

IMAGENET: tuple[Channels, Channels] = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CENTRED: tuple[Channels, Channels] = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
# The published EfficientNet-Lite take (x - 127) / 128.
LITE: tuple[Channels, Channels] = (127 / 255,) * 3, (128 / 255,) * 3

TENSORFLOW_EPSILON, TORCH_EPSILON = 1e-3, 1e-5
LARGEST_CONFIG = 1 << 20


@dataclass(frozen=True)
class Convention:
    """How a network was trained."""

    symmetric: bool  # strides begin as in PyTorch, not as TensorFlow's padding "same" has them
    epsilon: float  # of BatchNorm
    pixels: tuple[Channels, Channels]  # mean and standard deviation of RGB from 0 to 1 that are taken out
    certain: bool = True  # otherwise it is the likelier of two

    def __str__(self) -> str:
        padding = "PyTorch's" if self.symmetric else "TensorFlow's"
        mean, deviation = self.pixels
        return f"{padding} padding, epsilon {self.epsilon:g}, pixels minus {mean} divided by {deviation}"


def convention_of(naming: str, backbone: str, path: Path) -> Convention:
    """The convention of a state dict, from the naming of its layers (see `state_dict`) and its file."""
    if naming == "lukemelas":
        return _of_lukemelas(backbone, path)
    if naming != "timm":
        small_epsilon = re.fullmatch(r"efficientnet_b[0-4]|mobilenet_v2|resnet50", backbone)
        return Convention(True, TORCH_EPSILON if small_epsilon else TENSORFLOW_EPSILON, IMAGENET)
    config = _config_beside(path)
    told = str(config.get("architecture", "")) or str(path)
    of_tensorflow = bool(re.search(r"tf_(efficient|mobile)net", told))
    of_timm = not of_tensorflow and bool(re.search(r"(efficientnet|mobilenetv[23]|resnet)", Path(told).name))
    # timm has these as conversions from TensorFlow only.
    only_tensorflow = backbone.startswith("efficientnetv2") or re.search(r"_(b[67]|lite[1-4])$", backbone)
    if of_tensorflow or only_tensorflow:
        centred = backbone.startswith(("efficientnet_lite", "mobilenet")) or backbone == "efficientnetv2_s"
        centred = centred or bool(re.search(r"[._]ap([._-]|$)", told))
        found = Convention(False, TENSORFLOW_EPSILON, CENTRED if centred else IMAGENET)
    else:
        certain = of_timm or backbone in ("mobilenet_v2", "resnet50")
        found = Convention(True, TORCH_EPSILON, IMAGENET, certain)
    return replace(found, pixels=_pixels_in(config, path) or found.pixels)


def _of_lukemelas(backbone: str, path: Path) -> Convention:
    if backbone.startswith("efficientnet_lite"):
        return Convention(False, TENSORFLOW_EPSILON, LITE)
    # Those trained with adversarial examples are called adv-efficientnet-b0-....pth.
    return Convention(False, TENSORFLOW_EPSILON, CENTRED if path.name.startswith("adv") else IMAGENET)


def _config_beside(path: Path) -> dict[str, Any]:
    """The ``config.json`` that timm writes beside a file, or {}."""
    config = path.with_name("config.json")
    if not config.is_file() or config.stat().st_size > LARGEST_CONFIG:
        return {}
    try:
        content = from_json(config.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{config}: not read: {one_line(error)}; repair or remove it") from error
    return content if isinstance(content, dict) else {}


def _pixels_in(config: dict[str, Any], path: Path) -> tuple[Channels, Channels] | None:
    match config.get("pretrained_cfg"):
        case {"mean": [*mean], "std": [*deviation]}:
            numbers = [*mean, *deviation]
        case _:
            return None
    if (
        len(mean) != 3
        or len(deviation) != 3
        or not all(isinstance(each, (int, float)) and -10 < each < 10 for each in numbers)
        or min(deviation) <= 0
    ):
        raise ModelError(f"{path.with_name('config.json')}: mean and std are not three numbers each")
    return (mean[0], mean[1], mean[2]), (deviation[0], deviation[1], deviation[2])
