"""Lazy import of TensorFlow and Keras, which are an extra and take seconds to import."""

import importlib
import importlib.util
import logging
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from maskgen.errors import MissingExtraError
from maskgen.process import captured_stderr

INSTALL = "pip install 'maskgen[train]'"

# TensorFlow's log level. If the user sets it, nothing is suppressed.
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_LEVEL_IS_SET = _LEVEL in os.environ

log = logging.getLogger("maskgen")


def require(*packages: str, install: str = INSTALL) -> None:
    """Check that packages can be imported, without importing them; the message has the command `install`."""
    for package in packages:
        try:
            installed = importlib.util.find_spec(package) is not None
        except (ImportError, ValueError):
            installed = False
        if not installed:
            raise MissingExtraError(f"{package} is not installed, and this command needs it: {install}")


def tensorflow() -> Any:
    """Import `tensorflow` and make it the backend of Keras."""
    require("tensorflow")
    # The environment or a file in the home folder may select another backend.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    # Without a GPU, and on many machines with one, its libraries report harmless errors.
    os.environ.setdefault(_LEVEL, "3")
    try:
        with quietly():
            module = importlib.import_module("tensorflow")
        if not _LEVEL_IS_SET:
            # Its only warning here is about retracing, for every fifth model.
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
        return module
    except ImportError as error:
        raise MissingExtraError(f"tensorflow cannot be imported: {error}. Try {INSTALL}") from error


def quietly() -> AbstractContextManager[None]:
    """Send the stderr output of C++ libraries to the debug log (``-vv``); before an exception, to warnings.

    TensorFlow's log level does not cover the output during its import and during a model's conversion.
    """

    def log_lines(lines: list[bytes], failed: bool) -> None:
        for line in lines:
            level = logging.WARNING if failed else logging.DEBUG
            log.log(level, "%s", line.decode(errors="replace").rstrip("\n"))

    return nullcontext() if _LEVEL_IS_SET else captured_stderr(log_lines)


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, at most 300 characters; its type if the message is empty."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__).strip()[:300]


def keras() -> Any:
    """Import `keras` with the TensorFlow backend."""
    tensorflow()
    return importlib.import_module("keras")


def seed_everything(seed: int, deterministic: bool) -> None:
    """Seed Python, numpy and TensorFlow; `deterministic` to the bit costs some speed."""
    keras().utils.set_random_seed(seed % 2**32)
    if deterministic:
        tensorflow().config.experimental.enable_op_determinism()
