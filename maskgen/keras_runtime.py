"""The one place that imports tensorflow, which takes seconds and is an extra."""

from __future__ import annotations

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

# How much tensorflow says on stderr; whoever sets it hears everything it lets through.
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ASKED_FOR = _LEVEL in os.environ

log = logging.getLogger("maskgen")


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
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    # Where there is no GPU, and on many machines with one, its libraries report errors of no consequence.
    os.environ.setdefault(_LEVEL, "3")
    try:
        with quietly():
            found = importlib.import_module("tensorflow")
        if not _ASKED_FOR:
            # It warns of every fifth model that it is asked to compute with, and of nothing else we do.
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
        return found
    except ImportError as error:
        raise MissingExtraError(f"tensorflow cannot be imported: {error}. Try {INSTALL}") from error


def quietly() -> AbstractContextManager[None]:
    """Keep what libraries in C++ write to stderr for ``-vv``; what they say before an exception is shown.

    No level silences what they say while they are loaded and while a model is converted. Where the user has
    set tensorflow's level, nothing is kept back.
    """
    return nullcontext() if _ASKED_FOR else captured_stderr(_log_lines)


def _log_lines(lines: list[bytes], failed: bool) -> None:
    for line in lines:
        level = logging.WARNING if failed else logging.DEBUG
        log.log(level, "%s", line.decode(errors="replace").rstrip("\n"))


def one_line(error: BaseException) -> str:
    """The first line of what an exception says, at most 300 characters; its kind where it says nothing."""
    return next(
        (line.strip()[:300] for line in str(error).splitlines() if line.strip()), type(error).__name__
    )


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
