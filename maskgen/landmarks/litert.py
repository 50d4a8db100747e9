"""The default engine: mediapipe's face models, run by LiteRT.

image -128 px, letterboxed-> detector -> box, eyes -192 px, turned upright-> landmark model -> 468 points

The points are those of mediapipe 0.10.21's ``FaceMesh.process`` in static image mode, to within hundredths of
a pixel, without its graph and threads (``mediapipe/modules/face_landmark/face_landmark_front_cpu.pbtxt``).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ModelError
from maskgen.landmarks.crops import Crop, Points, box_of
from maskgen.landmarks.engine import CONFIDENT, MANY, REFIT_PIXELS, TENTATIVE, Mesh, quiet_stderr
from maskgen.landmarks.face_detector import FULL_RANGE, SHORT_RANGE, Detection, Detector, decode
from maskgen.landmarks.model_files import LANDMARK_MODEL, find_models
from maskgen.landmarks.plausibility import DISAGREEMENT_FILLING
from maskgen.records import Box, Image

MESH_SIDE = REFIT_PIXELS
MESH_POINTS = 468
# Side of the landmark model's crop, in longer sides of the detected box.
CROP_SIDES = 1.5


class LiteRtEngine:
    """`maskgen.landmarks.engine.Engine` on the model files; each is opened on first use, with one thread."""

    is_sure = True
    largest_disagreement = DISAGREEMENT_FILLING

    def __init__(self, folder: Path | None = None) -> None:
        self._paths = find_models(folder)
        self._open: dict[str, _Model] = {}

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        """The face meshes of a (height, width, 3) uint8 BGR image."""
        level = CONFIDENT if confident else TENTATIVE
        faces = self._detect(image, SHORT_RANGE, level.detection, MANY if many else 1)
        meshes = []
        for face in faces:
            points, presence = self._mesh(image, face)
            if presence > level.presence:
                meshes.append(Mesh(points, face.score, presence))
        return meshes

    def refit(self, view: Image) -> Mesh:
        """See `maskgen.landmarks.engine.Engine`; only the landmark model runs."""
        points, presence = self._fit(Crop(view, np.eye(2, 3)))
        return Mesh(points, presence=presence)

    def locate(self, image: Image) -> list[Box]:
        """Boxes of faces by the full-range detector, which finds smaller faces than the mesh's detector."""
        faces = self._detect(image, FULL_RANGE, TENTATIVE.location, MANY)
        return [box_of(face.points[:2]) for face in faces]

    def detect(self, image: Image) -> list[tuple[float, Box]]:
        """Score and box of each face that the short-range detector finds."""
        faces = self._detect(image, SHORT_RANGE, TENTATIVE.detection, MANY)
        return [(face.score, box_of(face.points[:2])) for face in faces]

    def open_all(self) -> None:
        """Open every model now; `ModelError` names one that cannot be opened."""
        for file_name in self._paths:
            self._model(file_name)

    def close(self) -> None:
        """Close every model that was opened."""
        self._open.clear()

    def _detect(self, image: Image, detector: Detector, least_score: float, most: int) -> list[Detection]:
        """Detected faces; their points are in pixels of the image."""
        height, width = image.shape[:2]
        longer, side = max(height, width), detector.side
        matrix = _to_crop(width / 2, height / 2, longer, 0.0, side)
        square = cv2.warpPerspective(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
        boxes, logits = self._model(detector.file_name).run(square.astype(np.uint8, copy=False), 2 / 255, -1)
        faces = decode(detector, boxes.reshape(-1, 16), logits.reshape(-1), least_score, most)
        corner = np.array((width - longer, height - longer)) / 2
        return [Detection(face.score, face.points * longer + corner) for face in faces]

    def _mesh(self, image: Image, face: Detection) -> tuple[Points, float]:
        """The landmark model's (468, 3) points in pixels of the image, and its probability of a face."""
        (left, top), (right, bottom), right_eye, left_eye = face.points[:4].tolist()
        side = CROP_SIDES * max(right - left, bottom - top)
        angle = math.atan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0])
        matrix = _to_crop((left + right) / 2, (top + bottom) / 2, side, angle, MESH_SIDE)
        size, border = (MESH_SIDE, MESH_SIDE), cv2.BORDER_REPLICATE
        pixels = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
        return self._fit(Crop(pixels.astype(np.uint8, copy=False), matrix[:2]))

    def _fit(self, crop: Crop) -> tuple[Points, float]:
        """As `_mesh`, of a crop at `MESH_SIDE`."""
        numbers, logit = self._model(LANDMARK_MODEL).run(crop.image, 1 / 255, 0)
        points = crop.to_image(numbers.reshape(-1, 3)[:MESH_POINTS].astype(np.float64))
        return points, 1 / (1 + math.exp(-float(logit.item())))

    def _model(self, file_name: str) -> _Model:
        if file_name not in self._open:
            self._open[file_name] = _Model(self._paths[file_name])
        return self._open[file_name]


class _Model:
    """One model file: an image in, two tensors out, the larger first."""

    def __init__(self, path: Path) -> None:
        with quiet_stderr():
            try:
                from ai_edge_litert.interpreter import Interpreter

                self._interpreter: Any = Interpreter(model_path=str(path), num_threads=1)
                self._interpreter.allocate_tensors()
            except (ImportError, ValueError, RuntimeError) as error:
                raise ModelError(f"{path} cannot be opened by ai-edge-litert: {error}") from error
        (self._input,) = (details["index"] for details in self._interpreter.get_input_details())
        outputs = self._interpreter.get_output_details()
        outputs.sort(key=lambda details: -np.prod(details["shape"]))
        self._outputs = [details["index"] for details in outputs]

    def run(self, image: Image, scale: float, offset: float) -> list[NDArray[np.float32]]:
        """The outputs for a BGR image of the model's size, whose levels are scaled and then offset."""
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        tensor = self._interpreter.tensor(self._input)()[0]
        np.multiply(rgb, np.float32(scale), out=tensor)
        if offset:
            tensor += np.float32(offset)
        # The interpreter refuses to run while there is a view of its memory.
        del tensor
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def _to_crop(x: float, y: float, side: float, angle: float, pixels: int) -> NDArray[np.float64]:
    """(3, 3) matrix from an image to a square crop around x, y that is turned by ``angle`` radians.

    It maps corners of pixels although OpenCV takes the centres, and is for `cv2.warpPerspective`, both as in
    mediapipe's ImageToTensorCalculator. `cv2.warpAffine` rounds otherwise: points .03 px off instead of .001.
    """
    cosine, sine = math.cos(angle) * pixels / side, math.sin(angle) * pixels / side
    left, top = pixels / 2 - cosine * x - sine * y, pixels / 2 + sine * x - cosine * y
    return np.array(((cosine, sine, left), (-sine, cosine, top), (0, 0, 1)))
