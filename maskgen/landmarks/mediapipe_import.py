"""Import mediapipe without tensorflow and matplotlib, and hide the log of its models.

``import mediapipe`` imports tensorflow if it is installed (7 s and 700 MB per process) and matplotlib (half a
second), but needs neither for faces. Its C++ code writes information and warnings to file descriptor 2, into
the progress bar.
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

# Lines of level information or warning by glog and absl, and start messages of TensorFlow Lite and absl.
_CHATTER = re.compile(
    rb"[IW]\d{4} |INFO: Created TensorFlow Lite"
    rb"|WARNING: (All log messages before absl|Logging before InitGoogle)"
)
Result = TypeVar("Result")
_NO_LIBGL = "apt-get install libgl1 libglib2.0-0"


def import_mediapipe() -> ModuleType:
    """Import mediapipe with tensorflow hidden and matplotlib replaced by an empty module.

    Raises:
        ModelError: The import fails; the message says what to install.
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
    """Make ``import name`` fail inside the context; `sys.modules` is restored."""
    if name in sys.modules:
        # It is imported already; hiding it would break its users.
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
    """Import these modules as empty ones inside the context; `sys.modules` is restored.

    mediapipe's drawing functions import matplotlib; maskgen does not use them.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def quiet_stderr() -> AbstractContextManager[None]:
    """Capture what is written to file descriptor 2, and afterwards write all but mediapipe's log to it."""
    return captured_stderr(_pass_on)


def _pass_on(lines: list[bytes], failed: bool) -> None:
    if rest := b"".join(line for line in lines if not _CHATTER.match(line)):
        os.write(2, rest)


class QuietUntilFirstFace:
    """Call a model with `quiet_stderr` until it has found a face.

    A model logs on its first run and when it first finds a face, once per process.
    """

    def __init__(self) -> None:
        self._settled = False

    def __call__(self, run: Callable[[], Result], has_face: Callable[[Result], bool]) -> Result:
        """The result of ``run``; ``has_face`` says whether it contains a face."""
        if self._settled:
            return run()
        with quiet_stderr():
            result = run()
        self._settled = has_face(result)
        return result
