"""Engine on ``mediapipe.solutions`` (mediapipe up to 0.10.21): the reference for the default engine."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from maskgen.errors import ModelError
from maskgen.landmarks.engine import CONFIDENT, MANY, TENTATIVE, Mesh, quiet_stderr
from maskgen.landmarks.plausibility import DISAGREEMENT_FILLING
from maskgen.records import Box, Image


def import_mediapipe() -> ModuleType:
    """Import mediapipe, which is optional; `ModelError` says how to install it."""
    try:
        import mediapipe
    except ImportError as error:
        message = f"mediapipe cannot be imported ({error}); install it with: pip install mediapipe"
        raise ModelError(message) from error
    return mediapipe  # type: ignore[no-any-return]


def mesh_in_pixels(points: Sequence[Any], image: Image) -> Mesh:
    """The mesh of mediapipe's points, which are shares of the image's size."""
    height, width = image.shape[:2]
    return Mesh(np.array([(p.x, p.y, p.z) for p in points], np.float64) * (width, height, width))


class MediapipeEngine:
    """`maskgen.landmarks.engine.Engine` on mediapipe's old graphs; each is opened on first use."""

    is_sure = True
    largest_disagreement = DISAGREEMENT_FILLING

    def __init__(self) -> None:
        with quiet_stderr():
            mediapipe = import_mediapipe()
        if not hasattr(mediapipe, "solutions"):
            raise ModelError(
                f"the engine mediapipe needs mediapipe 0.10.21 or older, not {mediapipe.__version__}; "
                "the default engine, litert, finds the same faces"
            )
        self._solutions = mediapipe.solutions
        self._open: dict[Hashable, Any] = {}

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        """The face meshes of a (height, width, 3) uint8 BGR image."""
        level = CONFIDENT if confident else TENTATIVE
        model = self._model(
            (confident, many),
            lambda: self._solutions.face_mesh.FaceMesh(
                static_image_mode=True,  # otherwise the result depends on the image before
                max_num_faces=MANY if many else 1,
                min_detection_confidence=level.detection,
                min_tracking_confidence=level.presence,
            ),
        )
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        with quiet_stderr():
            faces = model.process(rgb).multi_face_landmarks or ()
        return [mesh_in_pixels(face.landmark, image) for face in faces]

    def locate(self, image: Image) -> list[Box]:
        """Boxes of faces by the full-range detector, which finds smaller faces than the mesh's detector."""
        model = self._model(
            "full range",
            lambda: self._solutions.face_detection.FaceDetection(
                model_selection=1, min_detection_confidence=TENTATIVE.location
            ),
        )
        detections = model.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).detections or ()
        height, width = image.shape[:2]
        boxes = [detection.location_data.relative_bounding_box for detection in detections]
        return [(b.xmin * width, b.ymin * height, b.width * width, b.height * height) for b in boxes]

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
