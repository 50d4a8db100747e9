"""Finding faces and their landmarks in an image.

::

    LandmarkerSpec -open_landmarker-> FaceLandmarker -find(image)-> [Landmarks, ...], largest face first

There are three members: mediapipe's models as shipped in its wheel (`bundled`), mediapipe's Tasks API with
a model file (`tasks`), and a file of landmarks found earlier (`file`). The first two are *engines* which
`cascade` asks again and again, each time in an easier way, until a face is found that `gate` believes.
Importing this module does not import mediapipe.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from maskgen.errors import UsageError
from maskgen.face_mesh import Landmarks
from maskgen.records import Box, Image

_BUNDLED_IN = ("face_detection", "face_landmark")
DETECTORS = ("mediapipe", "haar")


class FaceLandmarker(Protocol):
    """Whatever finds the faces of an image."""

    def find(
        self,
        image: Image,
        *,
        boxes: Sequence[Box] = (),
        sample_id: str | None = None,
        every_face: bool = False,
    ) -> list[Landmarks]:
        """Find faces, largest first; an empty list is the normal answer to "no face here".

        Args:
            image: (height, width, 3) uint8 BGR, upright.
            boxes: Faces the dataset has marked. When there are any, only they are looked at.
            sample_id: Which sample this is; a landmark file is read by it.
            every_face: Look for all faces of a group instead of stopping at the first way that finds one.

        Returns:
            The landmarks of each face. The same image gives the same points, to the bit, whatever was
            processed before and in whichever process.
        """

    def close(self) -> None:
        """Let go of the models or the file."""


@dataclass(frozen=True)
class LandmarkerSpec:
    """Which landmarker to open; small and picklable, so that it can be sent to a worker.

    Attributes:
        model: "mediapipe" for what the installed mediapipe offers (the models in its wheel, or else Tasks),
            "tasks" for the Tasks API, anything else is the path of a landmark file.
        model_path: A ``face_landmarker.task`` file; when given, Tasks is used. Without it Tasks takes the
            file that ``MASKGEN_LANDMARK_MODEL`` names, or fetches the official one once.
        detector: "mediapipe" for the cascade, "haar" to have OpenCV's Haar cascades say where faces are.
    """

    model: str = "mediapipe"
    model_path: Path | None = None
    detector: str = "mediapipe"

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise UsageError(f"detector must be one of {', '.join(DETECTORS)}, got {self.detector!r}")
        if self.reads_file and self.model_path is not None:
            raise UsageError(f"a landmark file ({self.model}) needs no landmark model ({self.model_path})")

    @property
    def reads_file(self) -> bool:
        """Whether `model` is the path of a landmark file."""
        return self.model not in ("mediapipe", "tasks")

    @property
    def member(self) -> str:
        """What `open_landmarker` will open: "bundled", "tasks" or "file"."""
        if self.reads_file:
            return "file"
        wants_tasks = self.model == "tasks" or self.model_path is not None
        return "tasks" if wants_tasks or not has_bundled_models() else "bundled"


def has_bundled_models() -> bool:
    """Whether the installed mediapipe carries its face models, found out without importing it."""
    return any(path.name == "face_landmark.tflite" for path in bundled_models())


def bundled_models() -> list[Path]:
    """The face models in mediapipe's wheel, by name; none where it has none."""
    found = importlib.util.find_spec("mediapipe")
    places = found.submodule_search_locations if found is not None else None
    folders = [Path(place) / "modules" / name for place in places or () for name in _BUNDLED_IN]
    return sorted(path for folder in folders for path in folder.glob("*.tflite"))


def default_spec() -> LandmarkerSpec:
    """The models in mediapipe's wheel where it has them, the Tasks API otherwise."""
    return LandmarkerSpec("mediapipe" if has_bundled_models() else "tasks")


def open_landmarker(spec: LandmarkerSpec | None = None) -> FaceLandmarker:
    """Open what `spec` names, `default_spec` without one. Open it once per process: it takes about a second.

    Raises:
        ModelError: mediapipe cannot be imported, or a model cannot be found, fetched or opened.
        LandmarkFileError: The landmark file cannot be read.
    """
    spec = spec if spec is not None else default_spec()
    member = spec.member
    if member == "file":
        from maskgen.landmarks.landmark_file import LandmarkFile

        return LandmarkFile(Path(spec.model))
    from maskgen.landmarks.cascade import Cascade

    if member == "tasks":
        from maskgen.landmarks.tasks import TasksEngine

        return Cascade(TasksEngine(spec.model_path), spec.detector)
    from maskgen.landmarks.bundled import BundledEngine

    return Cascade(BundledEngine(), spec.detector)
