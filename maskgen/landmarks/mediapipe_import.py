"""Importing mediapipe and opening its models without tensorflow and without its log on stderr.

``import mediapipe`` imports tensorflow where it is installed, at 7 s and 700 MB a process, and matplotlib, at
half a second, and makes no use of them for faces. Its C++ side writes information and warnings to file
descriptor 2 past Python, where they would land in the middle of a progress bar.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import TypeVar

from maskgen.errors import ModelError
from maskgen.process import captured_stderr

# glog and absl lines of level information or warning, and those that TensorFlow Lite and absl add.
_CHATTER = re.compile(
    rb"[IW]\d{4} |INFO: Created TensorFlow Lite"
    rb"|WARNING: (All log messages before absl|Logging before InitGoogle)"
)
Result = TypeVar("Result")
_NO_LIBGL = "apt-get install libgl1 libglib2.0-0"


def import_mediapipe() -> ModuleType:
    """The mediapipe module, imported with tensorflow hidden and matplotlib left for later.

    Raises:
        ModelError: It cannot be imported; the message says what to install.
    """
    try:
        with _without("tensorflow"), _empty("matplotlib", "matplotlib.pyplot"), quiet_stderr():
            import mediapipe
    except ImportError as error:
        if re.search(r"lib(GL|EGL|GLESv2|glib|gthread)[-.\w]*\.so", str(error)):
            raise ModelError(
                f"mediapipe needs a system library ({error}); install it with: {_NO_LIBGL}"
            ) from error
        raise ModelError(
            f"mediapipe cannot be imported ({error}); install it with: pip install mediapipe"
        ) from error
    module: ModuleType = mediapipe
    return module


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Make ``import name`` fail inside, and leave ``sys.modules`` as it was found."""
    if name in sys.modules:
        # Imported already, so that there is nothing to save, and hiding it would break whoever uses it.
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if sys.modules.get(name, name) is None:
            del sys.modules[name]


@contextmanager
def _empty(*names: str) -> Iterator[None]:
    """Let these modules import as empty ones inside, and leave ``sys.modules`` as it was found.

    mediapipe's drawing functions import matplotlib to draw on axes, which nothing here asks of them.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def quiet_stderr() -> AbstractContextManager[None]:
    """Hold back what is written to file descriptor 2 inside, and afterwards pass on all but chatter."""
    return captured_stderr(_pass_on)


def _pass_on(lines: list[bytes], failed: bool) -> None:
    if rest := b"".join(line for line in lines if not _CHATTER.match(line)):
        os.write(2, rest)


class QuietUntilFirstFace:
    """Calls a model with `quiet_stderr` until it has found something once.

    A model logs when it first runs, and once more when it first finds a face; each line comes once a process.
    """

    def __init__(self) -> None:
        self._settled = False

    def __call__(self, run: Callable[[], Result], found: Callable[[Result], bool]) -> Result:
        """The result of `run`; `found` says whether there is a face in it."""
        if self._settled:
            return run()
        with quiet_stderr():
            result = run()
        self._settled = found(result)
        return result
