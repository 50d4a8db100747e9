"""The polygon of the lower face that texture flattening works on; no template is laid over it."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.masking.fits.warp import window_around
from maskgen.records import Layer

# The 17 points of the jaw and the nose bridge of the 68-point scheme, found in the face mesh.
_JAW = (127, 234, 93, 132, 58, 172, 136, 149, 152, 378, 365, 397, 288, 361, 323, 454, 356)
_BRIDGE = 6


def lower_face_layer(landmarks: Landmarks) -> Layer | None:
    """The lower face: the jaw, the nose bridge, and midway between the bridge and each end of the jaw.

    Returns:
        A layer without colour, or None if no part of it lies in the image.
    """
    points = landmarks.points[:, :2].astype(np.float64)
    jaw, bridge = points[list(_JAW)], points[_BRIDGE]
    outline = np.concatenate([jaw, [(jaw[-1] + bridge) / 2], [bridge], [(jaw[0] + bridge) / 2]])
    window = window_around(outline, landmarks.image_size)
    if window is None:
        return None
    x, y, width, height = window
    alpha = np.zeros((height, width), np.uint8)
    cv2.fillPoly(alpha, [np.round(outline - (x, y)).astype(np.int32)], [255])
    return Layer(np.zeros((height, width, 3), np.uint8), alpha, (x, y))
