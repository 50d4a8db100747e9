"""Face boxes for classifiers: those of the face mesh, and of the bare face detector where there is no mesh.

A mask hides half of what the mesh is checked by: on faces with masks that were drawn on FairFace, the cascade
finds a mesh in 74 %, the detector a face in 97 %. A classifier needs only a box, so the checks of the mesh
must not decide whether it answers.

A classifier learns from boxes of the mesh. `as_mesh_box` maps a box of the detector to the box that the mesh
of the same face would have.
"""

import math
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from maskgen.landmarks import FaceLandmarker
from maskgen.landmarks.crops import largest_first
from maskgen.landmarks.engine import CONFIDENT, TENTATIVE
from maskgen.records import Box, Image

# Least score of a detection in an image that may show no face, or others beside those that have a mesh. Of
# 240 parts of photographs without a face, 26 have one.
SURE = CONFIDENT.detection
# In an image that has a label, and thus a face.
EXPECTED = TENTATIVE.location
SMALLEST_SIDE = 16.0

# From the detector's square box to the mesh's, in sides of the square: how much lower its centre lies, its
# width and its height. Medians of 284 faces of LFW and FairFace: the detector's box on the face with a drawn
# mask, the mesh's box on the face without it. After the mapping, the centres are .045 of the longer side
# apart (95 %: .22), and the longer sides differ by 7 % (95 %: 24 %). The square of an unmasked face is larger
# relative to the mesh's box: -.043, .92 and 1.06 (527 faces).
_LOWER, _WIDTH, _HEIGHT = 0.016, 0.994, 1.152


@runtime_checkable
class Detecting(Protocol):
    """A landmarker that also has a face detector, such as `maskgen.landmarks.cascade.Cascade`."""

    def detections(self, image: Image) -> list[tuple[float, Box]]:
        """(score from 0 to 1, square box in pixels) of each detected face of a BGR image, best first."""


def face_boxes(landmarker: FaceLandmarker, image: Image) -> list[Box]:
    """The box (xywh) of every face of a (height, width, 3) uint8 BGR image, largest first."""
    boxes = [face.box for face in landmarker.find(image, every_face=True)]
    for box in _detected(landmarker, image, SURE):
        # The detector also finds parts of a face that has a mesh: an eye, the mask.
        if not any(_overlap(box, other) for other in boxes):
            boxes.append(box)
    return largest_first(boxes)


def labelled_face_box(landmarker: FaceLandmarker, image: Image) -> Box | None:
    """The box (xywh) of the largest face of an image that shows one, or None if it is not found."""
    faces = landmarker.find(image)
    if faces:
        return faces[0].box
    sure = largest_first(_detected(landmarker, image, SURE))
    return next(iter(sure), None) or next(_detected(landmarker, image, EXPECTED), None)


def as_mesh_box(box: Box) -> Box:
    """The box (xywh) of the mesh of a face with this box of the detector."""
    x, y, width, height = box
    side = math.sqrt(width * height)
    across, down = _WIDTH * side, _HEIGHT * side
    return (x + (width - across) / 2, y + height / 2 + _LOWER * side - down / 2, across, down)


def _detected(landmarker: FaceLandmarker, image: Image, least_score: float) -> Iterator[Box]:
    """The mapped boxes of the detector, best first."""
    for score, box in landmarker.detections(image) if isinstance(landmarker, Detecting) else ():
        if score >= least_score and min(box[2:]) >= SMALLEST_SIDE:
            yield as_mesh_box(box)


def _overlap(one: Box, other: Box) -> bool:
    """Whether the centre of one of two boxes is inside the other."""
    return _contains_center(one, other) or _contains_center(other, one)


def _contains_center(box: Box, other: Box) -> bool:
    x, y = other[0] + other[2] / 2, other[1] + other[3] / 2
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]
