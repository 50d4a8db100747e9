"""What the cascade needs of an engine, and what the engines share: confidence thresholds, a quiet stderr."""

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from maskgen.landmarks.crops import Points
from maskgen.process import captured_stderr
from maskgen.records import Box, Image


@dataclass(frozen=True)
class Level:
    """Least confidence of the models."""

    detection: float  # of a face
    presence: float  # of the mesh on it
    location: float  # of a face's location


CONFIDENT = Level(0.5, 0.5, 0.5)
TENTATIVE = Level(0.2, 0.2, 0.3)
# Side of the view of one face in which it is fitted again, in pixels and in sides of the face's box.
REFIT_PIXELS, REFIT_SIDES = 192, 1.5
# Most faces in one view; the tiles find more.
MANY = 24


@dataclass(frozen=True, eq=False)
class Mesh:
    """A face as an engine finds it.

    ``points`` is (468, 3) float64 x, y, z in pixels of the image; smaller z is nearer to the camera.
    """

    points: Points
    detection: float | None = None  # the detector's probability of a face, if known
    presence: float | None = None  # the landmark model's probability that its crop shows a face, if known

    def moved(self, move: Callable[[Points], Points]) -> "Mesh":
        """The mesh with its points moved by a function of (468, 3) points."""
        return replace(self, points=move(self.points))


class Engine(Protocol):
    """A landmark model; see `maskgen.landmarks.litert.LiteRtEngine`."""

    is_sure: bool  # whether a confident mesh needs a second look only if it is doubtful
    largest_disagreement: float  # greatest difference between its looks at one face, in eye distances

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        """The face meshes of an image: the best one, or with ``many`` at most `MANY`."""

    def refit(self, view: Image) -> Mesh | None:
        """The mesh of the face in the middle of a view, by the landmark model alone if the engine can.

        The view is a square of `REFIT_PIXELS`, and of `REFIT_SIDES` sides of the face's box.
        """

    def locate(self, image: Image) -> list[Box]:
        """Boxes of faces, small ones too; empty if the model has no such detector."""

    def detect(self, image: Image) -> list[tuple[float, Box]]:
        """Score and square box of each face that the mesh's own detector finds, tentative ones too.

        Empty if the model shows nothing of its detector.
        """

    def close(self) -> None:
        """Close the models."""


# Lines of level information or warning by glog and absl, and start messages of TensorFlow Lite and absl.
_CHATTER = re.compile(
    rb"[IW]\d{4} |INFO: Created TensorFlow Lite"
    rb"|WARNING: (All log messages before absl|Logging before InitGoogle)"
)


def quiet_stderr() -> AbstractContextManager[None]:
    """Capture what is written to file descriptor 2, and afterwards write all but the models' log to it."""

    def pass_on(lines: list[bytes], failed: bool) -> None:
        if rest := b"".join(line for line in lines if not _CHATTER.match(line)):
            os.write(2, rest)

    return captured_stderr(pass_on)
