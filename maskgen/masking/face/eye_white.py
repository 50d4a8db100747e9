"""Brightness of the whites of the eyes: a near-white surface that everybody has, in the light of the face."""

import math

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.masking.kernels.planes import Outlines
from maskgen.masking.kernels.quickselect import select
from maskgen.records import Image

_EYES = Outlines(
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
_EYE_PIXELS = 60  # eye distance in pixels above which pixels are left out
_BRIGHT = 0.9  # quantile of the pixels between the lids: pupil, iris and lashes are darker
_LEAST_PIXELS = 12


def eye_white(image: Image, landmarks: Landmarks) -> float | None:
    """Natural logarithm of 1 + the grey level of the eyes' whites; None if too little of them is in view."""
    eyes = _EYES.place(landmarks.points, (0, 0), 1)
    left, top, width, height = cv2.boundingRect(np.concatenate(eyes))
    right, bottom = max(0, left + width), max(0, top + height)
    left, top, step = max(0, left), max(0, top), max(1, int(landmarks.eye_distance / _EYE_PIXELS))
    part = image[top:bottom:step, left:right:step]
    if not part.size:
        return None
    between_lids = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(between_lids, [(eye - (left, top)) // step for eye in eyes], [1])
    blue, green, red = part[between_lids.view(np.bool_)].astype(np.float32).T
    sums = blue + green + red
    if sums.size < _LEAST_PIXELS:
        return None
    return math.log1p(select(sums, sums.size, int(_BRIGHT * sums.size)) / 3)
