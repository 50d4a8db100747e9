"""Face and landmark detection.

::

    LandmarkerSpec -open_landmarker-> FaceLandmarker -find(image)-> [Landmarks, ...], largest face first

There are three members: the models in mediapipe's wheel (`bundled`), mediapipe's Tasks API with a model file
(`tasks`), and a file of landmarks (`landmark_file`). The first two are *engines*: `cascade` runs an engine on
easier and easier views (`crops`) until it finds a face that passes the checks of `plausibility`.
Importing this package does not import mediapipe.
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
    """Finds the faces of an image."""

    def find(
        self,
        image: Image,
        *,
        boxes: Sequence[Box] = (),
        sample_id: str | None = None,
        every_face: bool = False,
    ) -> list[Landmarks]:
        """Find faces, largest first; an image without a face gives an empty list.

        Args:
            image: (height, width, 3) uint8 BGR, upright.
            boxes: Face boxes of the dataset. If there are any, only these faces are searched.
            sample_id: Id of the sample; the key of a landmark file.
            every_face: Search for all faces instead of stopping at the first step that finds one.

        Returns:
            The landmarks of each face. The same image gives bit-identical points in every process and in
            every order of images.
        """

    def close(self) -> None:
        """Close the models or the file."""


@dataclass(frozen=True)
class LandmarkerSpec:
    """The landmarker to open; picklable, for worker processes.

    Attributes:
        model: "mediapipe" for the models in mediapipe's wheel, or else Tasks; "tasks" for the Tasks API;
            any other value is the path of a landmark file.
        model_path: A ``face_landmarker.task`` file for Tasks. By default Tasks uses the file that
            ``MASKGEN_LANDMARK_MODEL`` names, or downloads the official one once.
        detector: "mediapipe" for the cascade, "haar" to locate faces by OpenCV's Haar cascades.
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
        """The member that `open_landmarker` opens: "bundled", "tasks" or "file"."""
        if self.reads_file:
            return "file"
        wants_tasks = self.model == "tasks" or self.model_path is not None
        return "tasks" if wants_tasks or not has_bundled_models() else "bundled"


def has_bundled_models() -> bool:
    """Whether the installed mediapipe contains its face models; mediapipe is not imported."""
    return any(path.name == "face_landmark.tflite" for path in bundled_models())


def bundled_models() -> list[Path]:
    """Paths of the face models in mediapipe's wheel, sorted; empty if it has none."""
    spec = importlib.util.find_spec("mediapipe")
    packages = spec.submodule_search_locations if spec is not None else None
    folders = [Path(package) / "modules" / name for package in packages or () for name in _BUNDLED_IN]
    return sorted(path for folder in folders for path in folder.glob("*.tflite"))


def default_spec() -> LandmarkerSpec:
    """The models in mediapipe's wheel if it has them, otherwise the Tasks API."""
    return LandmarkerSpec("mediapipe" if has_bundled_models() else "tasks")


def open_landmarker(spec: LandmarkerSpec | None = None) -> FaceLandmarker:
    """Open a landmarker, by default `default_spec`; it takes about a second, so open it once per process.

    Raises:
        ModelError: mediapipe cannot be imported, or a model cannot be found, downloaded or opened.
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
