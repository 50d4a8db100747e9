"""MediaPipe's 468-point face mesh: named anchors, the face oval, the mean face, and `Landmarks`.

The indices are those of MediaPipe's canonical face model. "left" is the image's left: ``left_eye`` is the eye
that a viewer sees on the left.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.records import Box

# Anchor name -> indices into the face mesh; an anchor is the mean of its points. The anchors of templates
# have the same names.
ANCHORS: dict[str, tuple[int, ...]] = {
    "nose_bridge": (6,),
    "nose_ridge": (197,),
    "nose_middle": (195,),
    "nose_tip": (4,),
    "nose_base": (2,),
    "upper_lip": (0,),
    "mouth": (13, 14),
    "lower_lip": (17,),
    "chin": (152,),
    "left_eye": (33, 133),
    "right_eye": (263, 362),
    "left_mouth": (61,),
    "right_mouth": (291,),
    "left_temple": (127,),
    "right_temple": (356,),
    "left_ear": (234,),
    "right_ear": (454,),
    "left_cheekbone": (116,),
    "right_cheekbone": (345,),
    "left_cheek": (93, 132),
    "right_cheek": (323, 361),
    "left_jaw": (172,),
    "right_jaw": (397,),
    "left_chin": (149,),
    "right_chin": (378,),
}

# The outline of the face in the mesh, clockwise from the top of the forehead.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)


# Template space: the pixels per eye distance, and the middle between the outer eye corners.
TEMPLATE_UNIT = 600.0
TEMPLATE_ORIGIN = (512.0, 100.0)


def anchor_shares(names: Iterable[str] = ANCHORS) -> NDArray[np.float64]:
    """(anchors, 468) float64 matrix that takes the points of a mesh to the anchors of these names."""
    points = np.arange(468)
    return np.array([np.isin(points, ANCHORS[name]) / len(ANCHORS[name]) for name in names])


@cache
def canonical_face() -> NDArray[np.float64]:
    """(468, 3) float64: the mean frontal face; its file says how it was computed.

    In eye distances, origin midway between the outer eye corners, x right, y down, z into the head.
    """
    stored = json.loads((Path(__file__).parent / "canonical_face.json").read_text(encoding="utf-8"))
    points = np.array(stored["points"], dtype=np.float64)
    points.setflags(write=False)
    return points


@cache
def canonical_template_points() -> NDArray[np.float64]:
    """(468, 2) float64: the mean face's points in pixels of template space."""
    points = canonical_face()[:, :2] * TEMPLATE_UNIT + TEMPLATE_ORIGIN
    points.setflags(write=False)
    return points


@cache
def mirrored_order() -> NDArray[np.intp]:
    """(468,): the index of each mesh point's partner on the other side, on the midline itself."""
    mean = canonical_face()
    apart = np.linalg.norm(mean[:, None] * (-1, 1, 1) - mean[None], axis=2)
    partners: NDArray[np.intp] = apart.argmin(axis=1)
    return partners


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The face mesh of one face.

    ``points`` is (468, 3) float32: x and y in pixels of the image, z in pixels, smaller is nearer to the
    camera. They are rounded to 1/100 px, so that landmarks read from a file give the same bytes.
    """

    points: NDArray[np.float32]
    image_size: tuple[int, int]  # (width, height)
    step: str = "as-is"  # of the detection cascade that found the face; "file" if it was read
    detection: float | None = None  # the detector's probability of a face, if known
    presence: float | None = None  # the landmark model's probability that its crop shows a face, if known
    # From 0 to 1, rounded to three decimals, if known: does the image look like a face under this mesh, and
    # does that face wear a mask? `maskgen.landmarks.appearance` measures both.
    mesh_score: float | None = None
    mask_score: float | None = None

    def __post_init__(self) -> None:
        if self.points.shape != (468, 3):
            raise ValueError(f"a face mesh has shape (468, 3), got {self.points.shape}")
        points = self.points.astype(np.float64).round(2)
        object.__setattr__(self, "points", points.astype(np.float32))
        for name in ("mesh_score", "mask_score"):
            if (score := getattr(self, name)) is not None:
                object.__setattr__(self, name, round(float(score), 3))

    def anchor(self, name: str) -> NDArray[np.float32]:
        """(2,) float32: x, y of an anchor of `ANCHORS` in pixels."""
        mean: NDArray[np.float32] = self.points[list(ANCHORS[name]), :2].mean(axis=0)
        return mean

    @cached_property
    def oval(self) -> NDArray[np.float32]:
        """(36, 2) float32: the face's outline, clockwise from the top of the forehead."""
        return self.points[list(FACE_OVAL), :2]

    @cached_property
    def box(self) -> Box:
        """The (x, y, width, height) bounding box of all points."""
        left, top, right, bottom = bounds(self.points)
        return (left, top, right - left, bottom - top)

    @cached_property
    def eye_distance(self) -> float:
        """Three-dimensional distance of the outer eye corners in pixels; independent of the pose."""
        return math.dist(self.points[263].tolist(), self.points[33].tolist())

    @cached_property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3) float64 rows: unit vectors of the face to its right, down its chin, and into the head."""
        points = self.points.astype(np.float64)
        a, b, c = _unit((points[454] - points[234]).tolist())
        down = (points[152] - points[10]).tolist()
        along = down[0] * a + down[1] * b + down[2] * c
        x, y, z = _unit([down[0] - along * a, down[1] - along * b, down[2] - along * c])
        return np.array([(a, b, c), (x, y, z), (b * z - c * y, c * x - a * z, a * y - b * x)])

    @cached_property
    def pose(self) -> dict[str, float]:
        """Yaw, pitch and roll in degrees, rounded to a tenth; `maskgen.records` defines the signs."""
        return pose_of(self.points)


def bounds(points: NDArray[np.floating[Any]]) -> tuple[float, float, float, float]:
    """Least and greatest x and y of (n, 2 or more) points: left, top, right and bottom."""
    # Column by column: numpy takes five times as long along an axis of two.
    x, y = points[:, 0], points[:, 1]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def pose_of(points: NDArray[np.floating[Any]]) -> dict[str, float]:
    """The pose of a (468, 3) mesh, as `Landmarks.pose`.

    It is the rotation of the mean face whose orthographic image fits x and y best. The model's z is left out:
    it is too flat for profiles, and a yaw of 70 degrees read from it is 53.
    """
    # (3, 2): where the mean face's right, down and into lie in the image, but for the scale.
    fitted = _mean_inverse() @ points[:, :2].astype(np.float64)
    if not np.isfinite(fitted).all():
        return dict.fromkeys(("yaw", "pitch", "roll"), math.nan)
    u, _, vt = np.linalg.svd(fitted, full_matrices=False)
    (right_x, right_y), (down_x, down_y), (into_x, into_y) = (u @ vt).tolist()
    into_z = right_x * down_y - down_x * right_y
    yaw = math.atan2(-into_x, math.hypot(into_y, into_z))
    angles = {"yaw": yaw, "pitch": math.atan2(-into_y, into_z), "roll": math.atan2(right_y, right_x)}
    return {name: round(math.degrees(angle), 1) for name, angle in angles.items()}


@cache
def _mean_inverse() -> NDArray[np.float64]:
    """(3, 468): the least-squares affine map of the mean face's axes to a mesh, translations left out."""
    points = canonical_face() - canonical_face().mean(axis=0)
    inverse: NDArray[np.float64] = np.linalg.pinv(points)
    return inverse


def _unit(vector: list[float]) -> list[float]:
    # A zero vector becomes NaN, as in numpy.
    length = math.hypot(*vector) or math.nan
    return [part / length for part in vector]
