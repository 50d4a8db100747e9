"""One landmark engine for each process: opening takes most of a second, and an engine serves one thread."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from maskgen.landmarks import FaceLandmarker, LandmarkerSpec, open_landmarker


class Engines:
    """The open engines of this process."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start empty: a forked process must not share the parent's models, file positions or locks."""
        self._open: dict[LandmarkerSpec, tuple[FaceLandmarker, Lock]] = {}
        self._opening = Lock()

    @contextmanager
    def use(self, spec: LandmarkerSpec) -> Iterator[FaceLandmarker]:
        """The engine of ``spec``, opened once, for one thread at a time."""
        with self._opening:
            if spec not in self._open:
                self._open[spec] = (open_landmarker(spec), Lock())
            landmarker, lock = self._open[spec]
        with lock:
            yield landmarker


ENGINES = Engines()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ENGINES.forget)
