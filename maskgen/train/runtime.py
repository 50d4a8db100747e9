"""The one place that imports tensorflow, which takes seconds and is an extra."""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Any

from maskgen.errors import MissingExtraError

INSTALL = "pip install 'maskgen[train]'"


def require(*packages: str, install: str = INSTALL) -> None:
    """See at once, and without importing them, whether the packages are there.

    Args:
        packages: Names to import them by.
        install: The command that installs them.

    Raises:
        MissingExtraError: One is not; the message has the command that installs it.
    """
    for package in packages:
        try:
            found = importlib.util.find_spec(package) is not None
        except (ImportError, ValueError):
            found = False
        if not found:
            raise MissingExtraError(f"{package} is not installed, and this command needs it: {install}")


def tensorflow() -> Any:
    """The module `tensorflow`, with Keras set to run on it."""
    require("tensorflow")
    # Keras takes its backend from the environment or a file in the home folder, where another may be set.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return importlib.import_module("tensorflow")
    except ImportError as error:
        raise MissingExtraError(f"tensorflow cannot be imported: {error}. Try {INSTALL}") from error


def keras() -> Any:
    """The module `keras`, on tensorflow."""
    tensorflow()
    return importlib.import_module("keras")


def seed_everything(seed: int, deterministic: bool) -> None:
    """Start Python's, numpy's and tensorflow's random numbers at `seed`.

    Args:
        seed: Any whole number.
        deterministic: Also make every operation give the same bits each time, which costs some speed.
    """
    keras().utils.set_random_seed(seed % 2**32)
    if deterministic:
        tensorflow().config.experimental.enable_op_determinism()
