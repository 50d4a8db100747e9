"""Opens a Keras model that someone else may have made: its layers and numbers, and no code.

Keras itself is asked to be careful (``safe_mode``). It has been got round more than once, so what a
``.keras`` file says it is made of is read first, as data: layers that hold code or load other files are
refused, and so is whatever does not come from Keras. Other formats are not opened: an old ``.h5`` file may
hold code.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskgen.errors import ModelError
from maskgen.plain_json import from_json
from maskgen.train.runtime import keras, require

_CODE = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer")
_PARTS = (
    *("activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics"),
    *("models", "ops", "optimizers", "random", "regularizers", "saving"),
)
_MODULE = re.compile(rf"builtins|keras|keras(\.src)?\.({'|'.join(_PARTS)})(\..*)?")
# The largest description of a model that is read; EfficientNet-B7 has 1 MB.
_LONGEST = 64 << 20


def load_model(path: Path | str, *, compile: bool = False) -> Any:
    """A Keras model from a ``.keras`` file.

    Args:
        path: The file.
        compile: Whether its optimizer is wanted too.

    Raises:
        MissingExtraError: Keras is not installed.
        ModelError: It is no such file, cannot be read, or is made of more than layers of Keras.
    """
    require("tensorflow")
    check_model_file(Path(path))
    try:
        return keras().models.load_model(path, compile=compile, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise ModelError(f"{path}: Keras cannot read it: {error}") from error


def check_model_file(path: Path) -> None:
    """See to it that a ``.keras`` file describes layers of Keras and nothing else; runs nothing of it.

    Raises:
        ModelError: It does not, or is no such file.
    """
    if path.suffix != ".keras":
        raise ModelError(f"{path}: only .keras files are opened, since others may hold code; save it as one")
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > _LONGEST:
                raise ModelError(f"{path}: its config.json is larger than any model's")
            described = from_json(archive.read("config.json"))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{path}: not a .keras file: {error}") from error
    for part in _objects(described):
        name, module = part.get("class_name"), part.get("module")
        if name in _CODE:
            raise ModelError(f"{path}: it has a layer {name!r}, which may run any code, and is not opened")
        if isinstance(module, str) and not _MODULE.fullmatch(module):
            raise ModelError(f"{path}: it needs {name!r} of {module!r}: that is not Keras, and not opened")


def _objects(values: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, however deep."""
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
