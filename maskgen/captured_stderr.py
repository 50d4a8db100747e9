"""Hold back what C++ libraries write to file descriptor 2, past Python's own stderr."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO


@contextmanager
def captured_stderr(pass_on: Callable[[list[bytes], bool], None]) -> Iterator[None]:
    """Capture file descriptor 2 inside the block, and hand over its lines afterwards.

    Without a stderr, or without a place for the captured text, nothing is captured.

    Args:
        pass_on: Called with the lines, and whether the block ended by an exception.
    """
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (AttributeError, OSError, ValueError):
        # There is no stderr to protect: it is closed, or replaced by an object without a file descriptor.
        yield
        return
    held = _nameless_file()
    if held is None:
        os.close(kept)
        yield
        return
    with held:
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            pass_on(list(held), failed)


def _nameless_file() -> IO[bytes] | None:
    """A file in memory, or in the temporary folder where the system has none in memory; None without both."""
    with suppress(OSError, AttributeError):
        return os.fdopen(os.memfd_create("maskgen"), "w+b")
    with suppress(OSError):
        return tempfile.TemporaryFile()
    return None
