"""A time limit for each step of each image; exceeding it kills the process.

A step that hangs in native code may hold the GIL, and then no Python thread can end it. The timer is
therefore a C thread of `faulthandler`, which needs no GIL: it appends a traceback to the note with the
image's id, and ends the process. The next attempt at the shard reads the note.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import math
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

# The note in a shard's scratch folder: the id of the current image, and from this byte on the traceback.
NOTE = "step"
_TRACE = 1 << 16

# Share of the limit by which a step may exceed it: starting the C thread for each step would cost 1 %.
_TOLERANCE = 0.1

# Extra seconds for the first image of a process at each step, which loads models and machine code.
_WARM_UP = 60.0
_warm: set[str] = set()

# The active limit, if any: `faulthandler` has one timer a process.
_in_force: list[TimeLimit] = []


class TimeLimit:
    """Kill the process if a step takes too long, from `begin` to the next `begin` or `pause`.

    Args:
        seconds: The limit of a step, with a tolerance of a tenth; None or 0 sets no limit.
        note: The file that holds the image and the traceback for `overdue_image`; None writes none.
    """

    def __init__(self, seconds: float | None, note: Path | None = None) -> None:
        self._seconds, self._path = seconds or 0.0, note or Path(os.devnull)
        self._note: BinaryIO | None = None
        self._started: float | None = None

    def __enter__(self) -> TimeLimit:
        """Open the note; no step is timed yet."""
        if self._seconds:
            self._note = self._path.open("wb", buffering=0)
            self._note.seek(_TRACE)
            _in_force.append(self)
            _exempt_compiler()
        return self

    def __exit__(self, *error: object) -> None:
        """Time no more steps."""
        if self._note is not None:
            self.pause()
            self._note.close()
            self._note = None
            _in_force.remove(self)

    def begin(self, image_id: str, step: str) -> None:
        """Start a step of an image."""
        if self._note is None:
            return
        self._note.seek(0)
        self._note.write(json.dumps(image_id).encode()[: _TRACE - 1] + b"\n")
        self._note.seek(_TRACE)
        self.resume(0.0 if step in _warm else _WARM_UP)
        _warm.add(step)

    def resume(self, more: float = 0.0) -> None:
        """Restart the timer, with so many extra seconds."""
        if self._note is None:
            return
        now = time.monotonic()
        if more or self._started is None or now - self._started > self._seconds * _TOLERANCE:
            allowed = self._seconds * (1 + _TOLERANCE) + more
            faulthandler.dump_traceback_later(allowed, file=self._note, exit=True)
            # After extra time, the next step restarts the timer.
            self._started = -math.inf if more else now

    def pause(self) -> None:
        """Stop the timer until the next `begin`."""
        if self._started is not None:
            faulthandler.cancel_dump_traceback_later()
            self._started = None


@contextlib.contextmanager
def unlimited() -> Iterator[None]:
    """Stop the timer inside the block, for work that happens once a process and is not the image's fault."""
    running = [limit for limit in _in_force if limit._started is not None]
    for limit in running:
        limit.pause()
    try:
        yield
    finally:
        for limit in running:
            limit.resume()


def overdue_image(note: Path) -> str | None:
    """The id of the image that exceeded its limit, from the note of a `TimeLimit`; None if none did."""
    try:
        data = note.read_bytes()
        if len(data) <= _TRACE:
            return None
        image_id = json.loads(data[: data.index(b"\n")])
    except (FileNotFoundError, ValueError):
        return None
    return image_id if isinstance(image_id, str) else None


def overdue_reason(seconds: float | None) -> str:
    """The reason in the row of an image that exceeded its limit twice."""
    return f"a step took longer than {seconds or 0:g} s, twice; see --image-timeout"


@cache
def _exempt_compiler() -> None:
    """Stop the timer while numba compiles, up to a minute in the first run on a machine."""
    from numba.core import event

    class Compiling(event.Listener):
        def __init__(self) -> None:
            self._pauses: list[contextlib.AbstractContextManager[None]] = []

        def on_start(self, event: Any) -> None:
            self._pauses.append(unlimited())
            self._pauses[-1].__enter__()

        def on_end(self, event: Any) -> None:
            self._pauses.pop().__exit__(None, None, None)

    # "Any": numba has no annotations.
    register: Any = event.register
    register("numba:compile", Compiling())
