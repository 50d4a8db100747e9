"""Lazy import of Keras and its backend, which are an extra and take seconds to import."""

import importlib
import importlib.util
import logging
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from maskgen.errors import MissingExtraError, UsageError
from maskgen.process import captured_stderr

INSTALL = "pip install 'maskgen[train]'"

# In the order of preference where ``KERAS_BACKEND`` is not set.
BACKENDS = ("tensorflow", "jax", "torch")

# TensorFlow's log level. If the user sets it, nothing is suppressed.
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_LEVEL_IS_SET = _LEVEL in os.environ

log = logging.getLogger("maskgen")


def require(*packages: str, install: str = INSTALL) -> None:
    """Check that packages can be imported, without importing them; the message has the command `install`."""
    for package in packages:
        if not _is_installed(package):
            raise MissingExtraError(f"{package} is not installed, and this command needs it: {install}")


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def backend() -> str:
    """The backend of Keras: ``KERAS_BACKEND``, by default the first of `BACKENDS` that is installed.

    Once Keras is imported, its backend cannot change.

    Raises:
        UsageError: ``KERAS_BACKEND`` names another one.
        MissingExtraError: it is not installed.
    """
    if sys.modules.get("keras") is not None:
        return str(sys.modules["keras"].config.backend())
    wanted = os.environ.get("KERAS_BACKEND") or next(filter(_is_installed, BACKENDS), BACKENDS[0])
    if wanted not in BACKENDS:
        raise UsageError(f"KERAS_BACKEND is {wanted!r}: set it to one of {', '.join(BACKENDS)}, or unset it")
    require("keras")
    require(wanted, install=INSTALL if wanted == "tensorflow" else f"pip install {wanted}")
    return wanted


def keras() -> Any:
    """Import `keras` with its `backend`."""
    # A file in the home folder may select another backend than this one.
    os.environ["KERAS_BACKEND"] = backend()
    if sys.modules.get("keras") is None and _is_installed("tensorflow"):
        # Keras imports it under every backend, and with it come its messages.
        tensorflow()
    return importlib.import_module("keras")


def tensorflow() -> Any:
    """Import `tensorflow` without its messages."""
    require("tensorflow")
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


def require_tensorflow_backend() -> None:
    """Check that Keras computes with TensorFlow, whose converters need its graphs."""
    require("tensorflow")
    if (chosen := backend()) != "tensorflow":
        raise UsageError(
            f"this command converts with TensorFlow, and KERAS_BACKEND is {chosen}: unset it; models open "
            "under every backend"
        )


def keras_versions() -> dict[str, str]:
    """The versions of Keras and of its backend."""
    module = keras()
    return {"keras": module.__version__, backend(): importlib.import_module(backend()).__version__}


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


def compiles() -> bool:
    """Whether a training step is compiled by XLA: under JAX, and by TensorFlow on a GPU.

    On CPUs TensorFlow's own convolutions take about half the time of XLA's, without the minute of compiling.
    """
    if backend() == "tensorflow":
        return bool(tensorflow().config.list_physical_devices("GPU"))
    return backend() == "jax"


def seed_everything(seed: int, deterministic: bool) -> None:
    """Seed Python, numpy and the backend; `deterministic` to the bit costs some speed.

    JAX has no switch: on CPUs its results are the same each time, on GPUs they can differ in the last bits.
    """
    keras().utils.set_random_seed(seed % 2**32)
    if deterministic and backend() == "tensorflow":
        tensorflow().config.experimental.enable_op_determinism()
    elif deterministic and backend() == "torch":
        importlib.import_module("torch").use_deterministic_algorithms(True)


def use_devices(count: int) -> None:
    """Divide each batch among so many devices (data parallelism), which JAX alone supports in Keras."""
    if backend() != "jax":
        raise UsageError(f"--devices {count} needs JAX: set KERAS_BACKEND=jax, or omit it")
    distribution = keras().distribution
    devices = distribution.list_devices()
    if count > len(devices):
        raise UsageError(f"--devices {count}: JAX finds only {len(devices)}: {', '.join(devices)}")
    distribution.set_distribution(distribution.DataParallel(devices=devices[:count]))
