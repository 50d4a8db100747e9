"""Predict classes for the faces in unlabelled images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.errors import UnreadableImageError
from maskgen.images.codec import decode
from maskgen.landmarks import FaceLandmarker
from maskgen.landmarks.face_boxes import face_boxes
from maskgen.records import Box, Image
from maskgen.train.data.examples import Region
from maskgen.train.data.model_input import Inspected, inspect, region_of, resized, shown
from maskgen.train.metrics import decide
from maskgen.train.model.classifier import Classifier


@dataclass(frozen=True)
class Said:
    """The prediction for one face."""

    label: str
    probability: float  # of the label
    probabilities: tuple[float, ...]  # of all classes, in the order of the model
    box: Box | None  # of the face, xywh; None if the whole image was classified without a face box


def predict_file(
    classifier: Classifier, path: Path, landmarker: FaceLandmarker | None
) -> tuple[list[Said], Image]:
    """Predict the classes of the faces that the landmarker finds; None classifies the whole image.

    A model of whole images answers also where no face is found. Also returns the image, (height, width, 3)
    uint8 BGR.
    """
    inspected = inspect(path)
    if inspected.problem is not None:
        raise UnreadableImageError(inspected.problem)
    data = path.read_bytes()
    bgr = decode(data).bgr
    return predict_faces(classifier, data, inspected, _face_boxes(bgr, landmarker)), bgr


def predict_faces(
    classifier: Classifier, data: bytes, inspected: Inspected, boxes: Sequence[Box] | None
) -> list[Said]:
    """Predict the classes of the faces in an image file with this content.

    `boxes` are xywh, largest first; None classifies the whole image. So does an empty list for a model of
    whole images; for others it gives no prediction.
    """
    size = classifier.spec.size
    # Decoded from the file as in training, where a large JPEG is decoded at a reduced scale.
    return _classify(
        classifier, inspected.size, boxes, lambda region: shown(data, region, size, inspected.plain)
    )


def predict_frame(classifier: Classifier, bgr: Image, landmarker: FaceLandmarker | None) -> list[Said]:
    """Predict the classes of the faces in a frame, (height, width, 3) uint8 BGR."""
    rgb, size = np.ascontiguousarray(bgr[:, :, ::-1]), classifier.spec.size
    boxes, size_wh = _face_boxes(bgr, landmarker), (bgr.shape[1], bgr.shape[0])
    return _classify(classifier, size_wh, boxes, lambda region: resized(rgb, region, size))


def _face_boxes(bgr: Image, landmarker: FaceLandmarker | None) -> list[Box] | None:
    return None if landmarker is None else face_boxes(landmarker, bgr)


def _classify(
    classifier: Classifier,
    size_wh: tuple[int, int],
    boxes: Sequence[Box] | None,
    crop: Callable[[Region], NDArray[np.uint8]],
) -> list[Said]:
    """Classify each face, or the whole image; `crop` gives the model's input, (size, size, 3) uint8 RGB."""
    spec = classifier.spec
    faces: Sequence[Box | None] = [None] if boxes is None else boxes
    if spec.crop == "full":
        faces = faces[:1] or [None]
    if not faces:
        return []
    # Without detection, the whole image is the face.
    whole = (0, 0, *size_wh)
    regions = [region_of(spec.crop, size_wh, box or whole, spec.margin if box else 0.0) for box in faces]
    probabilities = classifier.probabilities(np.stack([crop(region) for region in regions]))
    return [
        Said(spec.classes[place], float(row[place]), tuple(map(float, row)), box)
        for row, place, box in zip(probabilities, decide(probabilities), faces, strict=True)
    ]


def annotated(bgr: Image, predictions: Sequence[Said]) -> Image:
    """A copy of the image with a box, the class and the percentage for each face."""
    canvas = bgr.copy()
    height, width = bgr.shape[:2]
    scale = max(0.4, min(height, width) / 500)
    thickness = max(1, round(scale * 1.5))
    font, green = cv2.FONT_HERSHEY_SIMPLEX, (60, 200, 60)
    for each in predictions:
        x, y, w, h = (round(float(value)) for value in each.box or (0, 0, width - 1, height - 1))
        cv2.rectangle(canvas, (x, y), (x + w, y + h), green, thickness)
        text = f"{each.label} {each.probability:.0%}"
        (text_width, text_height), descent = cv2.getTextSize(text, font, scale, thickness)
        left, baseline = max(0, min(x, width - text_width)), y - descent
        if baseline - text_height <= 0:
            baseline = min(y + text_height + descent, height - 1)
        top_left, bottom_right = (left, baseline - text_height - 2), (left + text_width, baseline + descent)
        cv2.rectangle(canvas, top_left, bottom_right, green, cv2.FILLED)
        cv2.putText(canvas, text, (left, baseline), font, scale, (0, 0, 0), thickness)
    return canvas
