"""Face and landmark detection.

::

    LandmarkerSpec -open_landmarker-> FaceLandmarker -find(image)-> [Landmarks, ...], largest face first

The default *engine*, `litert`, runs mediapipe's model files (`model_files`) directly; `mediapipe_engines` run
mediapipe itself. `cascade` runs an engine on easier and easier views (`crops`) until it finds a face that
passes the checks of `plausibility`. A file of landmarks (`landmark_file`) needs no engine.
Importing this package imports no model runtime.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from maskgen.errors import UsageError
from maskgen.face_mesh import Landmarks
from maskgen.records import Box, Image

ENGINES = ("litert", "tasks", "mediapipe")
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
    """The landmarker to open; picklable, for worker processes."""

    # An engine of `ENGINES`; any other value is the path of a landmark file.
    model: str = "litert"
    # Model files instead of those that the engine finds itself: a folder for "litert", a
    # ``face_landmarker.task`` file for "tasks". A file chooses "tasks" by itself.
    model_path: Path | None = None
    # "mediapipe" for the cascade, "haar" to locate faces by OpenCV's Haar cascades.
    detector: str = "mediapipe"

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise UsageError(f"detector must be one of {', '.join(DETECTORS)}, got {self.detector!r}")
        if self.model_path is not None and self.member in ("mediapipe", "file"):
            reader = f"a landmark file ({self.model})" if self.reads_file else "the engine mediapipe"
            raise UsageError(f"{reader} needs no landmark model ({self.model_path})")

    @property
    def reads_file(self) -> bool:
        """Whether `model` is the path of a landmark file."""
        return self.model not in ENGINES

    @property
    def member(self) -> str:
        """What `open_landmarker` opens: an engine of `ENGINES`, or "file"."""
        if self.reads_file:
            return "file"
        names_file = self.model_path is not None and not self.model_path.is_dir()
        return "tasks" if self.model == "litert" and names_file else self.model


def open_landmarker(spec: LandmarkerSpec | None = None) -> FaceLandmarker:
    """Open a landmarker, by default the engine "litert"; open it once per process.

    Raises:
        ModelError: A model cannot be found, fetched or opened, or the engine's package cannot be imported.
        LandmarkFileError: The landmark file cannot be read.
    """
    spec = spec or LandmarkerSpec()
    if spec.member == "file":
        from maskgen.landmarks.landmark_file import LandmarkFile

        return LandmarkFile(Path(spec.model))
    from maskgen.landmarks import litert, mediapipe_engines
    from maskgen.landmarks.cascade import Cascade

    if spec.member == "tasks":
        return Cascade(mediapipe_engines.TasksEngine(spec.model_path), spec.detector)
    if spec.member == "mediapipe":
        return Cascade(mediapipe_engines.MediapipeEngine(), spec.detector)
    return Cascade(litert.LiteRtEngine(spec.model_path), spec.detector)
