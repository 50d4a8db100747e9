"""The optional engines: mediapipe's graphs, the reference for the default engine, and its Tasks API.

Mediapipe has the graphs up to 0.10.21, and only the Tasks API from 0.10.30.
"""

import os
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from maskgen.errors import ModelError
from maskgen.landmarks.crops import box_of
from maskgen.landmarks.engine import CONFIDENT, MANY, TENTATIVE, Mesh, quiet_stderr
from maskgen.landmarks.plausibility import DISAGREEMENT_FILLING
from maskgen.records import Box, Image

MODEL_VARIABLE = "MASKGEN_LANDMARK_MODEL"
MODEL_URL = "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"


class _OpenModels:
    """The imported mediapipe, and its models, each opened on first use."""

    def __init__(self) -> None:
        with quiet_stderr():
            self._mediapipe = import_mediapipe()
        self._open: dict[Hashable, Any] = {}

    def close(self) -> None:
        """Close every model that was opened."""
        for model in self._open.values():
            model.close()
        self._open.clear()

    def _model(self, key: Hashable, construct: Callable[[], Any]) -> Any:
        if key not in self._open:
            with quiet_stderr():
                self._open[key] = construct()
        return self._open[key]


class MediapipeEngine(_OpenModels):
    """`maskgen.landmarks.engine.Engine` on mediapipe's old graphs."""

    is_sure = True
    largest_disagreement = DISAGREEMENT_FILLING

    def __init__(self) -> None:
        super().__init__()
        if not hasattr(self._mediapipe, "solutions"):
            raise ModelError(
                f"the engine mediapipe needs mediapipe 0.10.21 or older, not {self._mediapipe.__version__}; "
                "the default engine, litert, finds the same faces"
            )

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        """The face meshes of a (height, width, 3) uint8 BGR image."""
        level = CONFIDENT if confident else TENTATIVE
        model = self._model(
            (confident, many),
            lambda: self._mediapipe.solutions.face_mesh.FaceMesh(
                static_image_mode=True,  # otherwise the result depends on the image before
                max_num_faces=MANY if many else 1,
                min_detection_confidence=level.detection,
                min_tracking_confidence=level.presence,
            ),
        )
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        with quiet_stderr():
            faces = model.process(rgb).multi_face_landmarks or ()
        return [_mesh_in_pixels(face.landmark, image) for face in faces]

    def refit(self, view: Image) -> Mesh | None:
        """The mesh of the face in a view; the graphs do not run without the detector."""
        return next(iter(self.meshes(view, confident=False)), None)

    def locate(self, image: Image) -> list[Box]:
        """Boxes of faces by the full-range detector, which finds smaller faces than the mesh's detector."""
        return [box for _, box in self._detections(image, 1, TENTATIVE.location)]

    def detect(self, image: Image) -> list[tuple[float, Box]]:
        """Score and box of each face that the short-range detector finds."""
        return self._detections(image, 0, TENTATIVE.detection)

    def _detections(self, image: Image, selection: int, least_score: float) -> list[tuple[float, Box]]:
        """Score and box of each face by mediapipe's short-range (0) or full-range (1) detector."""
        model = self._model(
            f"detector {selection}",
            lambda: self._mediapipe.solutions.face_detection.FaceDetection(
                model_selection=selection, min_detection_confidence=least_score
            ),
        )
        with quiet_stderr():
            detections = model.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).detections or ()
        height, width = image.shape[:2]
        faces = []
        for detection in detections:
            box = detection.location_data.relative_bounding_box
            pixels = (box.xmin * width, box.ymin * height, box.width * width, box.height * height)
            faces.append((float(detection.score[0]), pixels))
        return faces


class TasksEngine(_OpenModels):
    """`maskgen.landmarks.engine.Engine` on a ``face_landmarker.task`` file; see `find_task_file`."""

    # Tasks detects faces in a colour wheel and in microscope images even at its default thresholds, and lower
    # thresholds find few more faces. Every face therefore gets a second look, which must agree closely. This
    # finds 271 of 335 faces and none in 567 faceless images; with the rules of litert: 282 and 13.
    is_sure = False
    largest_disagreement = 0.15

    def __init__(self, model_path: Path | None = None) -> None:
        self._path = find_task_file(model_path)
        super().__init__()
        self._landmarker(many=False)

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        """The face meshes of an image; ``confident`` is not used."""
        rgb = np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        mediapipe_image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=rgb)
        model = self._landmarker(many)
        with quiet_stderr():
            faces = model.detect(mediapipe_image).face_landmarks
        # The model appends ten iris points to the 468 points of the mesh.
        return [_mesh_in_pixels(face[:468], image) for face in faces]

    def refit(self, view: Image) -> Mesh | None:
        """The mesh of the face in a view; Tasks does not run without the detector."""
        return next(iter(self.meshes(view)), None)

    def locate(self, image: Image) -> list[Box]:
        """Boxes of the meshes of all faces: Tasks has no full-range detector."""
        return [box_of(mesh.points) for mesh in self.meshes(image, confident=False, many=True)]

    def detect(self, image: Image) -> list[tuple[float, Box]]:
        """Nothing: Tasks finds a mesh or nothing."""
        return []

    def _landmarker(self, many: bool) -> Any:
        try:
            return self._model(many, lambda: self._construct(many))
        except (RuntimeError, ValueError) as error:
            message = f"{self._path} is not a landmark model that mediapipe can open: {error}"
            raise ModelError(message) from error

    def _construct(self, many: bool) -> Any:
        tasks = self._mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(
            # Bytes, because the library cannot open some paths that are not ASCII.
            base_options=tasks.BaseOptions(model_asset_buffer=self._path.read_bytes()),
            num_faces=MANY if many else 1,
            min_face_detection_confidence=CONFIDENT.detection,
            min_face_presence_confidence=CONFIDENT.presence,
        )
        return tasks.vision.FaceLandmarker.create_from_options(options)


def import_mediapipe() -> ModuleType:
    """Import mediapipe, which is optional; `ModelError` says how to install it."""
    try:
        import mediapipe
    except ImportError as error:
        message = f"mediapipe cannot be imported ({error}); install it with: pip install mediapipe"
        raise ModelError(message) from error
    return mediapipe  # type: ignore[no-any-return]


def find_task_file(model_path: Path | None = None) -> Path:
    """The given model file, or that of the environment variable; `ModelError` if there is none."""
    named = model_path or os.environ.get(MODEL_VARIABLE)
    if not named:
        message = f"the engine tasks needs a model file: get {MODEL_URL}, and name it by --models FILE"
        raise ModelError(message)
    if not (path := Path(named)).is_file():
        raise ModelError(f"{'--models' if model_path else MODEL_VARIABLE} names {path}, which is not a file")
    return path


def _mesh_in_pixels(points: Sequence[Any], image: Image) -> Mesh:
    """The mesh of mediapipe's points, which are shares of the image's size."""
    height, width = image.shape[:2]
    return Mesh(np.array([(p.x, p.y, p.z) for p in points], np.float64) * (width, height, width))
