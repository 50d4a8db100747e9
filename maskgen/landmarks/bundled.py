"""Engine on the face models in mediapipe's wheel (up to 0.10.21), by ``mediapipe.solutions``."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import cv2
import numpy as np

from maskgen.landmarks.cascade import CONFIDENT, TENTATIVE
from maskgen.landmarks.crops import Points
from maskgen.landmarks.face_mesh_graph import in_calling_thread, run_mesh
from maskgen.landmarks.mediapipe_import import QuietUntilFirstFace, import_mediapipe, quiet_stderr
from maskgen.landmarks.plausibility import DISAGREEMENT_FILLING
from maskgen.records import Box, Image

# Most faces in one view; the tiles of the cascade find more.
MANY = 24


class BundledEngine:
    """`maskgen.landmarks.cascade.Engine` on the models in the wheel; each is opened on first use."""

    is_sure = True
    largest_disagreement = DISAGREEMENT_FILLING

    def __init__(self) -> None:
        solutions = import_mediapipe().solutions
        self._mesh = in_calling_thread(solutions.face_mesh.FaceMesh)
        self._detection = in_calling_thread(solutions.face_detection.FaceDetection)
        self._open: dict[Hashable, Any] = {}
        self._quiet = QuietUntilFirstFace()

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Points]:
        """Face meshes of an image: (468, 3) float64 each; x, y and z in pixels."""
        level = CONFIDENT if confident else TENTATIVE
        model = self._model(
            (confident, many),
            lambda: self._mesh(
                # Otherwise the result depends on the image before.
                static_image_mode=True,
                max_num_faces=MANY if many else 1,
                min_detection_confidence=level.detection,
                min_tracking_confidence=level.presence,
            ),
        )
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        return self._quiet(lambda: run_mesh(model, rgb), bool)

    def locate(self, image: Image) -> list[Box]:
        """Boxes of faces by the full-range detector, which finds smaller faces than the mesh's detector."""
        model = self._model(
            "full range",
            lambda: self._detection(model_selection=1, min_detection_confidence=TENTATIVE.location),
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
                # The models write their first log lines on the first run.
                self._open[key].process(np.zeros((64, 64, 3), np.uint8))
        return self._open[key]
