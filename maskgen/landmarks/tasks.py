"""Engine on mediapipe's Tasks API and its model file; mediapipe 0.10.30 and later have only this API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskgen.errors import ModelError
from maskgen.landmarks.crops import box_of
from maskgen.landmarks.engine import CONFIDENT, MANY, Mesh, quiet_stderr
from maskgen.landmarks.mediapipe_graph import import_mediapipe, mesh_in_pixels
from maskgen.records import Box, Image

MODEL_VARIABLE = "MASKGEN_LANDMARK_MODEL"
MODEL_URL = "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
# The model appends ten iris points to the 468 points of the mesh.
MESH_POINTS = 468


class TasksEngine:
    """`maskgen.landmarks.engine.Engine` on a ``face_landmarker.task`` file; see `find_model`."""

    # Tasks detects faces in a colour wheel and in microscope images even at its default thresholds, and lower
    # thresholds find few more faces. Every face therefore gets a second look, which must agree closely. This
    # finds 271 of 335 faces and none in 567 faceless images; with the rules of litert: 282 and 13.
    is_sure = False
    largest_disagreement = 0.15

    def __init__(self, model_path: Path | None = None) -> None:
        self._path = find_model(model_path)
        with quiet_stderr():
            self._mediapipe = import_mediapipe()
        self._open: dict[bool, Any] = {}
        self._model(many=False)

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        """The face meshes of an image; ``confident`` is not used."""
        model = self._model(many)
        rgb = np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        mediapipe_image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=rgb)
        with quiet_stderr():
            faces = model.detect(mediapipe_image).face_landmarks
        return [mesh_in_pixels(face[:MESH_POINTS], image) for face in faces]

    def locate(self, image: Image) -> list[Box]:
        """Boxes of the meshes of all faces: Tasks has no full-range detector."""
        return [box_of(mesh.points) for mesh in self.meshes(image, confident=False, many=True)]

    def close(self) -> None:
        """Close every model that was opened."""
        for model in self._open.values():
            model.close()
        self._open.clear()

    def _model(self, many: bool) -> Any:
        if many not in self._open:
            tasks = self._mediapipe.tasks
            options = tasks.vision.FaceLandmarkerOptions(
                # Bytes, because the library cannot open some paths that are not ASCII.
                base_options=tasks.BaseOptions(model_asset_buffer=self._path.read_bytes()),
                num_faces=MANY if many else 1,
                min_face_detection_confidence=CONFIDENT.detection,
                min_face_presence_confidence=CONFIDENT.presence,
            )
            try:
                with quiet_stderr():
                    self._open[many] = tasks.vision.FaceLandmarker.create_from_options(options)
            except (RuntimeError, ValueError) as error:
                message = f"{self._path} is not a landmark model that mediapipe can open: {error}"
                raise ModelError(message) from error
        return self._open[many]


def find_model(model_path: Path | None = None) -> Path:
    """The path of the model file: the given one, or that of the environment variable.

    Raises:
        ModelError: Neither is given, or it is not a file.
    """
    named = model_path or os.environ.get(MODEL_VARIABLE)
    if not named:
        raise ModelError(
            f"the engine tasks needs a model file: get {MODEL_URL}, and name it by --models FILE"
        )
    if not (path := Path(named)).is_file():
        raise ModelError(f"{'--models' if model_path else MODEL_VARIABLE} names {path}, which is not a file")
    return path
