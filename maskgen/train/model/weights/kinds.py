"""The kinds of files with weights, by suffix."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from maskgen.errors import ModelError
from maskgen.train.model.weights.safetensors_file import read_safetensors
from maskgen.train.model.weights.torch_file import read_torch_file

LITE0 = "efficientnet_lite0"  # the backbone whose ImageNet weights are a package

MODEL = ".keras"
KERAS = (".h5", ".hdf5")
STATE_DICTS: dict[str, Callable[[Path], dict[str, NDArray[Any]]]] = {
    **dict.fromkeys((".pth", ".pt", ".bin"), read_torch_file),
    ".safetensors": read_safetensors,
}


def check_kind(path: Path) -> None:
    """Raise `ModelError` if no reader knows the suffix of a file."""
    kinds = (MODEL, *KERAS, *STATE_DICTS)
    if path.suffix.lower() not in kinds:
        raise ModelError(
            f"--weights {path}: give a file of one of the kinds {', '.join(kinds)}, or imagenet or none"
        )
