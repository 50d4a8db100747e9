"""A photographed face turned by software: its own mesh, textured with the photograph, seen from elsewhere."""

import cv2
import numpy as np
from scipy.spatial import Delaunay

from maskgen.face_mesh import Landmarks, canonical_face

SIZE = (420, 420)
_UNIT = 120.0  # eye distance of the rendered face, in pixels
_CENTRE = (210.0, 150.0)
_BACKGROUND = (150, 148, 145)
# The head turns about an axis this far behind the middle of its mesh, in eye distances.
_AXIS = 0.35


def turned(face, yaw):
    """The face seen with its yaw changed by so many degrees, its mesh there, and where it is in the image.

    Args:
        face: A `real_pictures.Face`, about frontal.
        yaw: Degrees; signs as in `maskgen.records`.

    Returns:
        (height, width, 3) uint8 BGR, the `Landmarks`, and (height, width) bool.
    """
    points = face.landmarks.points.astype(np.float64)
    moved = _seen_from(face.landmarks, yaw)
    width, height = SIZE
    depth = np.full((height, width), np.inf)
    source = np.zeros((height, width, 2), np.float32)
    for triangle in Delaunay(canonical_face()[:, :2]).simplices:
        _draw(moved[triangle], points[triangle, :2], depth, source)
    here = np.isfinite(depth)
    seen = cv2.remap(face.image, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    picture = np.where(here[:, :, None], seen, np.array(_BACKGROUND, np.uint8)).astype(np.uint8)
    return picture, Landmarks(moved.astype(np.float32), SIZE), here


def _seen_from(landmarks, yaw):
    """(468, 3) the mesh put upright and turned, in pixels of the new image."""
    points = landmarks.points.astype(np.float64)
    head = (points - points[[33, 263]].mean(axis=0)) @ landmarks.axes.T / landmarks.eye_distance
    head -= (0, 0, head[:, 2].mean() + _AXIS)
    angle = np.radians(yaw)
    turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    return head @ turn.T * _UNIT + (*_CENTRE, 0.0)


def _draw(corners, texture, depth, source):
    """One triangle into the depth buffer, and the place in the photograph of each pixel it wins."""
    low = np.maximum(np.floor(corners[:, :2].min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners[:, :2].max(axis=0)).astype(int) + 1, SIZE)
    (ax, ay), (bx, by) = corners[1, :2] - corners[0, :2], corners[2, :2] - corners[0, :2]
    area = ax * by - ay * bx
    if (high <= low).any() or abs(area) < 1e-9:
        return
    x = np.arange(low[0], high[0])[None, :] - corners[0, 0]
    y = np.arange(low[1], high[1])[:, None] - corners[0, 1]
    second, third = (x * by - y * bx) / area, (y * ax - x * ay) / area
    first = 1 - second - third
    z = first * corners[0, 2] + second * corners[1, 2] + third * corners[2, 2]
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    wins = (first >= -1e-6) & (second >= -1e-6) & (third >= -1e-6) & (z < depth[window])
    depth[window][wins] = z[wins]
    source[window][wins] = np.stack([first[wins], second[wins], third[wins]], axis=1) @ texture
