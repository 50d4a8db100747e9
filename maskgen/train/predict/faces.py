"""Predict classes for the faces in unlabelled images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.errors import MissingDataError, UnreadableImageError
from maskgen.files.image_files import images
from maskgen.files.path_text import to_text
from maskgen.images.codec import decode
from maskgen.landmarks import FaceLandmarker
from maskgen.records import Box, Image
from maskgen.train.data.crops import region_of
from maskgen.train.data.examples import Region
from maskgen.train.data.model_input import Inspected, inspect, resized, shown
from maskgen.train.metrics import decide
from maskgen.train.model.classifier import Classifier

NO_FACE = "no face found"


@dataclass(frozen=True)
class Said:
    """The prediction for one face.

    Attributes:
        label: The predicted class.
        probability: Its probability.
        probabilities: The probabilities of all classes, in the order of the model.
        box: The face box, xywh; None if the whole image was classified without a face box.
    """

    label: str
    probability: float
    probabilities: tuple[float, ...]
    box: Box | None

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """The prediction as JSON values."""
        return {
            "label": self.label,
            "probability": round(self.probability, 6),
            "probabilities": {name: round(p, 6) for name, p in zip(classes, self.probabilities, strict=True)},
            "box": None if self.box is None else [round(float(value), 1) for value in self.box],
        }


def images_of(inputs: Iterable[Path]) -> dict[Path, str]:
    """List the given files and all images below the given folders.

    Returns:
        Path -> unique name: the path relative to the given folder, or the name of the file. If two names are
        equal, all names are paths relative to the common parent folder of the inputs.

    Raises:
        MissingDataError: An input does not exist.
    """
    names: dict[Path, str] = {}
    for path in inputs:
        try:
            if path.is_dir():
                names |= {path / relative: relative for relative in images(path, follow_links=True)}
                continue
            if not path.exists():
                raise MissingDataError(f"{to_text(str(path))}: there is no such image or folder")
        except OSError as error:
            raise MissingDataError(f"{to_text(str(path))}: {error.strerror or error}") from error
        names[path] = path.name
    if len(set(names.values())) < len(names):
        absolute = {path: os.path.abspath(str(path)) for path in names}  # noqa: PTH100
        top = os.path.commonpath([os.path.dirname(each) for each in absolute.values()])  # noqa: PTH120
        # A file that is given twice is classified once.
        names = {path: name for name, path in {os.path.relpath(absolute[p], top): p for p in names}.items()}
    return names


def predict_file(
    classifier: Classifier, path: Path, landmarker: FaceLandmarker | None
) -> tuple[list[Said], Image]:
    """Predict the classes of the faces in an image file.

    Args:
        classifier: The model.
        path: The file.
        landmarker: Finds the faces; None classifies the whole image.

    Returns:
        The prediction for each face, and the image, (height, width, 3) uint8 BGR.

    Raises:
        UnreadableImageError: The file cannot be read or decoded.
    """
    inspected = inspect(path)
    if inspected.problem is not None:
        raise UnreadableImageError(inspected.problem)
    data = path.read_bytes()
    bgr = decode(data).bgr
    boxes = find_boxes(bgr, landmarker)
    return predict_faces(classifier, data, inspected, boxes, landmarker is not None), bgr


def predict_faces(
    classifier: Classifier, data: bytes, inspected: Inspected, boxes: Sequence[Box], detect: bool = True
) -> list[Said]:
    """Predict the classes of faces whose boxes are known.

    Args:
        classifier: The model.
        data: The content of the image file.
        inspected: Its properties.
        boxes: The face boxes, xywh.
        detect: Whether `boxes` come from face detection; otherwise the whole image is classified.
    """
    size = classifier.spec.size
    regions = regions_of(classifier, inspected.size, boxes, detect)
    # Decoded from the file as in training, where a large JPEG is decoded at a reduced scale.
    inputs = [shown(data, region, size, inspected.plain) for region in regions]
    return _classify(classifier, inputs, boxes)


def predict_frame(classifier: Classifier, bgr: Image, landmarker: FaceLandmarker | None) -> list[Said]:
    """Predict the classes of the faces in a frame, (height, width, 3) uint8 BGR."""
    boxes = find_boxes(bgr, landmarker)
    size = (bgr.shape[1], bgr.shape[0])
    regions = regions_of(classifier, size, boxes, landmarker is not None)
    rgb = np.ascontiguousarray(bgr[:, :, ::-1])
    inputs = [resized(rgb, region, classifier.spec.size) for region in regions]
    return _classify(classifier, inputs, boxes)


def find_boxes(bgr: Image, landmarker: FaceLandmarker | None) -> list[Box]:
    """Boxes of all faces, largest first."""
    return [] if landmarker is None else [face.box for face in landmarker.find(bgr, every_face=True)]


def regions_of(
    classifier: Classifier, size: tuple[int, int], boxes: Sequence[Box], detect: bool
) -> list[Region]:
    """The regions to classify: one for each face, or the whole image.

    A model trained on whole images gets the whole image, if it has a face. Without face detection, the whole
    image is the face.
    """
    spec = classifier.spec
    if spec.crop == "full":
        return [(0, 0, *size)] if boxes or not detect else []
    if not detect:
        whole_image = (0.0, 0.0, float(size[0]), float(size[1]))
        return [region_of(spec.crop, size, whole_image, 0.0)]
    return [region_of(spec.crop, size, box, spec.margin) for box in boxes]


def _classify(
    classifier: Classifier, inputs: Sequence[NDArray[np.uint8]], boxes: Sequence[Box]
) -> list[Said]:
    """inputs: (size, size, 3) uint8 RGB each, in the order of the boxes."""
    if not inputs:
        return []
    probabilities = classifier.probabilities(np.stack(inputs))
    predicted = decide(probabilities, classifier.spec.threshold)
    return [
        Said(
            classifier.spec.classes[place],
            float(row[place]),
            tuple(map(float, row)),
            boxes[index] if index < len(boxes) else None,
        )
        for index, (row, place) in enumerate(zip(probabilities, predicted, strict=True))
    ]


def annotated(bgr: Image, predictions: Sequence[Said]) -> Image:
    """A copy of the image with a box, the class and the percentage for each face."""
    canvas = bgr.copy()
    height, width = bgr.shape[:2]
    scale = max(0.4, min(height, width) / 500)
    thickness = max(1, round(scale * 1.5))
    for each in predictions:
        x, y, w, h = (round(float(value)) for value in each.box or (0, 0, width - 1, height - 1))
        cv2.rectangle(canvas, (x, y), (x + w, y + h), (60, 200, 60), thickness)
        text = f"{each.label} {each.probability:.0%}"
        (text_width, text_height), descent = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
        left = max(0, min(x, width - text_width))
        baseline = y - descent
        if baseline - text_height <= 0:
            baseline = min(y + text_height + descent, height - 1)
        cv2.rectangle(
            canvas,
            (left, baseline - text_height - 2),
            (left + text_width, baseline + descent),
            (60, 200, 60),
            -1,
        )
        cv2.putText(canvas, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), thickness)
    return canvas
