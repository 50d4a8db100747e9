"""Face boxes by OpenCV's Haar cascades, as masked-face pipelines used before landmark models."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskgen.errors import ModelError
from maskgen.landmarks.crops import whole
from maskgen.records import Box, Image

FRONTAL = "haarcascade_frontalface_default.xml"
PROFILE = "haarcascade_profileface.xml"
# Least size of a face, as a share of the image's shorter side; smaller detections are mostly false.
SMALLEST = 1 / 12


def haar_boxes(image: Image) -> list[Box]:
    """Boxes of frontal faces, or of profiles if there are no frontal faces."""
    view = whole(image)
    grey = cv2.equalizeHist(cv2.cvtColor(view.image, cv2.COLOR_BGR2GRAY)).astype(np.uint8, copy=False)
    boxes = _detect(FRONTAL, grey) or _detect(PROFILE, grey)
    if not boxes:
        # The profile cascade detects one side only.
        mirrored = _detect(PROFILE, np.ascontiguousarray(grey[:, ::-1]))
        boxes = [(grey.shape[1] - x - width, y, width, height) for x, y, width, height in mirrored]
    return [view.box_to_image(box) for box in boxes]


def _detect(name: str, grey: Image) -> list[Box]:
    smallest = max(20, round(min(grey.shape) * SMALLEST))
    boxes = _cascade(name).detectMultiScale(grey, 1.1, minNeighbors=4, minSize=(smallest, smallest))
    return [(float(x), float(y), float(width), float(height)) for x, y, width, height in boxes]


@lru_cache(maxsize=2)
def _cascade(name: str) -> Any:
    if not hasattr(cv2, "CascadeClassifier"):
        remedy = "install opencv-contrib-python or opencv-python<5"
        raise ModelError(f"OpenCV {cv2.__version__} has no Haar cascades; {remedy}")
    path = Path(cv2.__file__).with_name("data") / name
    classifier = cv2.CascadeClassifier(str(path))
    if classifier.empty():
        raise ModelError(f"OpenCV's Haar cascade {path} cannot be read; reinstall opencv-python")
    return classifier
