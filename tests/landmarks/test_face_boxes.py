"""Boxes for classifiers: the mesh's, or the detector's where a mask hides what the mesh is checked by."""

import math

import cv2
import numpy as np
import pytest

from maskgen.landmarks.face_boxes import as_mesh_box, face_boxes, labelled_face_box

IMAGE = np.zeros((300, 400, 3), np.uint8)


class Finder:
    """A landmarker with these mesh boxes and these detections."""

    def __init__(self, meshes=(), detections=()):
        self._meshes, self._detections = meshes, detections

    def find(self, image, *, boxes=(), sample_id=None, every_face=False):
        faces = [type("Face", (), {"box": box}) for box in self._meshes]
        return faces if every_face else faces[:1]

    def detections(self, image):
        return sorted(self._detections, reverse=True)

    def close(self):
        pass


SMALL, LARGE, OTHER = (10.0, 10.0, 40.0, 40.0), (20.0, 20.0, 90.0, 90.0), (250.0, 40.0, 60.0, 60.0)
CASES = {
    "a mesh is taken as it is": ([LARGE], [], [LARGE], LARGE),
    "a detection on a face that has a mesh adds nothing": ([LARGE], [(0.9, SMALL)], [LARGE], LARGE),
    "a masked face beside one that has a mesh": (
        *([LARGE], [(0.9, OTHER)], [LARGE, as_mesh_box(OTHER)], LARGE),
    ),
    "no mesh: the detector's faces, largest first": (
        *([], [(0.6, LARGE), (0.9, OTHER)], [as_mesh_box(LARGE), as_mesh_box(OTHER)], as_mesh_box(LARGE)),
    ),
    "an unsure detection counts only where a face is known to be": (
        *([], [(0.4, LARGE), (0.45, OTHER)], [], as_mesh_box(OTHER)),
    ),
    "the detector is not believed below its threshold": ([], [(0.25, LARGE)], [], None),
    "a face of a few pixels is none": ([], [(0.9, (5.0, 5.0, 12.0, 12.0))], [], None),
    "nothing": ([], [], [], None),
}


@pytest.mark.parametrize("case", CASES)
def test_boxes(case):
    meshes, detections, every, labelled = CASES[case]
    assert face_boxes(Finder(meshes, detections), IMAGE) == every
    assert labelled_face_box(Finder(meshes, detections), IMAGE) == labelled


def test_a_landmarker_without_a_detector_has_the_boxes_of_its_meshes():
    finder = type("File", (), {"find": lambda self, image, **_: [type("Face", (), {"box": SMALL})]})()
    assert face_boxes(finder, IMAGE) == [SMALL]
    assert labelled_face_box(finder, IMAGE) == SMALL


def iou(one, other):
    across, down = (
        max(0.0, min(one[axis] + one[axis + 2], other[axis] + other[axis + 2]) - max(one[axis], other[axis]))
        for axis in (0, 1)
    )
    shared = across * down
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def test_the_detectors_box_is_mapped_to_that_of_the_mesh(litert, astronaut):
    ((score, box), *_) = litert.detections(astronaut)
    (face, *_) = litert.find(astronaut)
    assert score > 0.8 and box[2] == pytest.approx(box[3], rel=1e-3)
    assert iou(as_mesh_box(box), face.box) > 0.65


def test_a_masked_face_without_a_mesh_is_found_where_it_is(litert, astronaut):
    """A plain surface over all but the eyes: the checks of the mesh fail, the detector's do not."""
    (face, *_) = litert.find(astronaut)
    x, y, width, height = face.box
    hidden = cv2.GaussianBlur(astronaut, (0, 0), 4)
    cv2.rectangle(
        hidden, (round(x), round(y + 0.5 * height)), (round(x + width), round(y + height)), (60, 60, 60), -1
    )
    head = np.ascontiguousarray(hidden[20:230, 120:330])
    assert litert.find(head, every_face=True) == []
    (box,) = face_boxes(litert, head)
    center = (box[0] + box[2] / 2 + 120, box[1] + box[3] / 2 + 20)
    assert math.dist(center, (x + width / 2, y + height / 2)) < 0.35 * height
    assert labelled_face_box(litert, head) == box
