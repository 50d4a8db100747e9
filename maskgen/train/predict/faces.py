"""What a model says of images that nobody labelled: faces found, shown as in training, told with a box."""

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
from maskgen.train.data.pictures import Inspected, inspect, resized, shown
from maskgen.train.metrics import decide
from maskgen.train.model.classifier import Classifier

NO_FACE = "no face found"


@dataclass(frozen=True)
class Said:
    """What was said of one face.

    Attributes:
        label: The class.
        probability: Of that class.
        probabilities: Of each, in the order of the model's classes.
        box: The face; None where the whole image was judged and no face looked for or found.
    """

    label: str
    probability: float
    probabilities: tuple[float, ...]
    box: Box | None

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """As JSON values."""
        return {
            "label": self.label,
            "probability": round(self.probability, 6),
            "probabilities": {name: round(p, 6) for name, p in zip(classes, self.probabilities, strict=True)},
            "box": None if self.box is None else [round(float(value), 1) for value in self.box],
        }


def images_of(inputs: Iterable[Path]) -> dict[Path, str]:
    """The files themselves, and every image below the folders, in the order of their names.

    Returns:
        Path -> name that no other has: the path below the folder that was given, or the file's own name.
        Where two would be the same, all are the paths below the folder that holds every input.

    Raises:
        MissingDataError: One is not there.
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
        whole = {path: os.path.abspath(str(path)) for path in names}  # noqa: PTH100
        top = os.path.commonpath([os.path.dirname(each) for each in whole.values()])  # noqa: PTH120
        # A file that was given twice is judged once.
        names = {path: name for name, path in {os.path.relpath(whole[p], top): p for p in names}.items()}
    return names


def predict_file(
    classifier: Classifier, path: Path, landmarker: FaceLandmarker | None
) -> tuple[list[Said], Image]:
    """Judge the faces of an image.

    Args:
        classifier: The model.
        path: The file.
        landmarker: Finds the faces; None takes the whole image for one.

    Returns:
        What was said of each face, and the image, (height, width, 3) uint8 BGR.

    Raises:
        UnreadableImageError: The file cannot be read or decoded.
    """
    found = inspect(path)
    if found.problem is not None:
        raise UnreadableImageError(found.problem)
    data = path.read_bytes()
    bgr = decode(data).bgr
    boxes = find_boxes(bgr, landmarker)
    return predict_faces(classifier, data, found, boxes, landmarker is not None), bgr


def predict_faces(
    classifier: Classifier, data: bytes, found: Inspected, boxes: Sequence[Box], looked: bool = True
) -> list[Said]:
    """Judge faces that are known already.

    Args:
        classifier: The model.
        data: The image's file.
        found: What was found out about it.
        boxes: The faces.
        looked: Whether faces were looked for; if not, the whole image is one.
    """
    size = classifier.spec.size
    regions = regions_of(classifier, found.size, boxes, looked)
    # By the file, as in training: a large JPEG is decoded at a fraction of its size.
    images = [shown(data, region, size, found.plain) for region in regions]
    return say(classifier, images, boxes)


def predict_frame(classifier: Classifier, bgr: Image, landmarker: FaceLandmarker | None) -> list[Said]:
    """Judge the faces of a frame: (height, width, 3) uint8 BGR."""
    boxes = find_boxes(bgr, landmarker)
    size = (bgr.shape[1], bgr.shape[0])
    regions = regions_of(classifier, size, boxes, landmarker is not None)
    rgb = np.ascontiguousarray(bgr[:, :, ::-1])
    return say(classifier, [resized(rgb, region, classifier.spec.size) for region in regions], boxes)


def find_boxes(bgr: Image, landmarker: FaceLandmarker | None) -> list[Box]:
    """Boxes of all faces, largest first."""
    return [] if landmarker is None else [face.box for face in landmarker.find(bgr, every_face=True)]


def regions_of(
    classifier: Classifier, size: tuple[int, int], boxes: Sequence[Box], looked: bool
) -> list[tuple[int, int, int, int]]:
    """What the model is shown: each face by its own crop, or the whole image.

    A model that learnt from whole images judges whole images. So does any where no faces are looked for:
    then the image itself is the face.
    """
    spec = classifier.spec
    if spec.crop == "full":
        return [(0, 0, *size)] if boxes or not looked else []
    if not looked:
        everything = (0.0, 0.0, float(size[0]), float(size[1]))
        return [region_of(spec.crop, size, everything, 0.0)]
    return [region_of(spec.crop, size, box, spec.margin) for box in boxes]


def say(classifier: Classifier, images: Sequence[NDArray[np.uint8]], boxes: Sequence[Box]) -> list[Said]:
    """Ask the model about images at its size, and put each answer to its box."""
    if not images:
        return []
    found = classifier.probabilities(np.stack(images))
    chosen = decide(found, classifier.spec.threshold)
    return [
        Said(
            classifier.spec.classes[place],
            float(row[place]),
            tuple(map(float, row)),
            boxes[index] if index < len(boxes) else None,
        )
        for index, (row, place) in enumerate(zip(found, chosen, strict=True))
    ]


def annotated(bgr: Image, said: Sequence[Said]) -> Image:
    """A copy of the image with a box around each face, its class and the percentage."""
    drawn = bgr.copy()
    height, width = bgr.shape[:2]
    scale = max(0.4, min(height, width) / 500)
    thick = max(1, round(scale * 1.5))
    for each in said:
        x, y, w, h = (round(float(value)) for value in each.box or (0, 0, width - 1, height - 1))
        cv2.rectangle(drawn, (x, y), (x + w, y + h), (60, 200, 60), thick)
        text = f"{each.label} {each.probability:.0%}"
        (across, up), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
        left = max(0, min(x, width - across))
        base = y - below if y - below - up > 0 else min(y + up + below, height - 1)
        cv2.rectangle(drawn, (left, base - up - 2), (left + across, base + below), (60, 200, 60), -1)
        cv2.putText(drawn, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), thick)
    return drawn
