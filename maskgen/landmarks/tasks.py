"""Engine on mediapipe's Tasks API and its model file; mediapipe 0.10.30 and later have only this API."""

from __future__ import annotations

import hashlib
import http.client
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import cv2
import numpy as np

from maskgen.errors import ModelError
from maskgen.files.atomic import write_atomic
from maskgen.landmarks.crops import box_of
from maskgen.landmarks.engine import CONFIDENT, MANY, Mesh
from maskgen.landmarks.mediapipe_import import QuietUntilFirstFace, import_mediapipe, quiet_stderr
from maskgen.process import cache_folder
from maskgen.records import Box, Image

MODEL_VARIABLE = "MASKGEN_LANDMARK_MODEL"
MODEL_NAME = "face_landmarker.task"
MODEL_URL = "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
SECONDS = 30
# The model appends ten iris points to the 468 points of the mesh.
MESH_POINTS = 468


class TasksEngine:
    """`maskgen.landmarks.engine.Engine` on a ``face_landmarker.task`` file.

    Args:
        model_path: The file; by default the result of `find_model`.
    """

    # Tasks detects faces in a colour wheel and in microscope images even at its default thresholds, and lower
    # thresholds find few more faces. Every face therefore gets a second look, which must agree closely. This
    # finds 271 of 335 faces and none in 567 faceless images; with the rules of the bundled models: 282 and
    # 13.
    is_sure = False
    largest_disagreement = 0.15

    def __init__(self, model_path: Path | None = None) -> None:
        self._path = find_model(model_path)
        self._mediapipe = import_mediapipe()
        self._open: dict[bool, Any] = {}
        self._quiet = QuietUntilFirstFace()
        self._model(many=False)

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        """The face meshes of an image; ``confident`` is not used."""
        model = self._model(many)
        rgb = np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        mediapipe_image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=rgb)
        faces = self._quiet(lambda: model.detect(mediapipe_image).face_landmarks, bool)
        height, width = image.shape[:2]
        return [
            Mesh(np.array([(p.x, p.y, p.z) for p in face[:MESH_POINTS]], np.float64) * (width, height, width))
            for face in faces
        ]

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
                raise ModelError(
                    f"{self._path} is not a landmark model that mediapipe can open: {error}"
                ) from error
        return self._open[many]


def find_model(model_path: Path | None = None, fetch: Callable[[str], bytes] | None = None) -> Path:
    """The path of the model file: the given one, the one of the environment variable, or the cached one.

    Args:
        model_path: The file that the user names, if any.
        fetch: Downloads a URL; called only if no file is there. By default over the network.

    Raises:
        ModelError: There is no file, and it cannot be downloaded.
    """
    for path, origin in ((model_path, "--landmark-model"), (os.environ.get(MODEL_VARIABLE), MODEL_VARIABLE)):
        if path:
            if not Path(path).is_file():
                raise ModelError(f"{origin} names {path}, which is not a file")
            return Path(path)
    folder = cache_folder()
    if folder is None:
        raise ModelError(
            f"there is no home folder for the landmark model; set {MODEL_VARIABLE} to a model file"
        )
    cached = folder / MODEL_NAME
    if not cached.is_file():
        _fetch_to(cached, fetch or _download)
    elif (sha256 := hashlib.sha256(cached.read_bytes()).hexdigest()) != MODEL_SHA256:
        raise ModelError(
            f"{cached} is not the official landmark model: its sha256 is {sha256}, expected {MODEL_SHA256}. "
            f"Remove it, or name another model by {MODEL_VARIABLE}"
        )
    return cached


def _fetch_to(path: Path, fetch: Callable[[str], bytes]) -> None:
    help_text = (
        f"Download {MODEL_URL} on any machine, and either put it at {path} "
        f"or set {MODEL_VARIABLE} to its path."
    )
    try:
        data = fetch(MODEL_URL)
    except (URLError, OSError, http.client.HTTPException) as error:
        raise ModelError(f"the landmark model cannot be downloaded ({error}). {help_text}") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != MODEL_SHA256:
        raise ModelError(
            f"the download from {MODEL_URL} is not the landmark model: its sha256 is {sha256}, "
            f"expected {MODEL_SHA256}. {help_text}"
        )
    try:
        write_atomic(path, data)
    except OSError as error:
        raise ModelError(f"the landmark model cannot be saved ({error}). {help_text}") from error


def _download(url: str) -> bytes:
    with urlopen(url, timeout=SECONDS) as response:
        data: bytes = response.read()
    return data
