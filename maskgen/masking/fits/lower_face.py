"""The polygon of the lower face for texture flattening, which uses no template."""

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.masking.garment.rasterize import window_around
from maskgen.records import Layer

# Mesh points of the 17 jaw points and the nose bridge of the 68-point scheme.
_JAW = (127, 234, 93, 132, 58, 172, 136, 149, 152, 378, 365, 397, 288, 361, 323, 454, 356)
_BRIDGE = 6


def lower_face_layer(landmarks: Landmarks) -> Layer | None:
    """A layer over the lower face: jaw, nose bridge, and the midpoints between the bridge and the jaw's ends.

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
