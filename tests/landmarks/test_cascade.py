"""The steps, with a model of the tests' own that finds faces painted as two eyes."""

import cv2
import numpy as np
import pytest
from synthetic_faces import mean_face

from maskgen.landmarks.cascade import Cascade
from maskgen.landmarks.engine import Mesh
from maskgen.landmarks.second_opinion import Opinion

BRIGHT, DIM = 255, 120


@pytest.fixture(autouse=True)
def _look_like_faces(monkeypatch):
    """Painted faces have no skin and no lips: their second opinion is good, unless a test has its own."""
    monkeypatch.setattr("maskgen.landmarks.mesh_judge.opinion", lambda image, mesh: Opinion(3.0, -3.0))


def painted(size, *faces):
    """An image of faces (x, y, eye distance, brightness): two discs where the eyes are."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for x, y, eyes, light in faces:
        for side in (-0.5, 0.5):
            cv2.circle(image, (round(x + side * eyes), y), max(2, round(eyes / 8)), (light,) * 3, -1)
    return image


class PaintedEngine:
    """Finds the painted faces: bright ones always, dim ones only when it need not be confident."""

    is_sure = True
    largest_disagreement = 0.25

    def __init__(self, *, locates=True, smallest=0.0):
        self.calls = []
        self.locates, self.smallest = locates, smallest

    def meshes(self, image, *, confident=True, many=False):
        self.calls.append("mesh" if confident else "tentative")
        faces = self._faces(image, 190 if confident else 60, self.smallest)
        return [Mesh(points) for points in faces[: None if many else 1]]

    def refit(self, view):
        self.calls.append("refit")
        faces = self._faces(view, 60, 0.0, row=view.shape[0])
        return Mesh(faces[0]) if faces else None

    def locate(self, image):
        self.calls.append("locate")
        boxes = []
        for mesh in self._faces(image, 60, 0.0) if self.locates else ():
            low, high = mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)
            boxes.append((*map(float, low), *map(float, high - low)))
        return boxes

    def close(self):
        self.calls.append("close")

    def _faces(self, image, least, smallest, row=20):
        light = (image[:, :, 0] > least).astype(np.uint8)
        _, _, stats, middles = cv2.connectedComponentsWithStats(light)
        # An eye is a disc: what a border has drawn out is none.
        eyes = [
            middle
            for middle, (_, _, w, h, area) in zip(middles[1:], stats[1:], strict=True)
            if area > 8 and 0.6 < w / h < 1.7
        ]
        eyes.sort(key=lambda eye: (round(eye[1] / row), eye[0]))
        found = []
        for left, right in zip(eyes[::2], eyes[1::2], strict=False):
            across = right - left
            distance = float(np.hypot(*across))
            if distance < smallest * max(image.shape):
                continue
            roll = float(np.degrees(np.arctan2(across[1], across[0])))
            mesh = mean_face(eye_distance=distance, roll=roll).points.astype(np.float64)
            mesh[:, :2] += (left + right) / 2 - mesh[[33, 263], :2].mean(axis=0)
            found.append(mesh)
        return sorted(found, key=lambda mesh: -np.ptp(mesh[:, 0]))


class FickleEngine(PaintedEngine):
    """Puts a mesh somewhere else each time, as a model does that is shown a lamp."""

    def meshes(self, image, *, confident=True, many=False):
        self.calls.append("mesh" if confident else "tentative")
        if confident:
            return []
        height, width = image.shape[:2]
        place = (width * (0.3 + 0.17 * (len(self.calls) % 3)), height * (0.3 + 0.13 * (len(self.calls) % 4)))
        return [Mesh(mean_face(eye_distance=0.3 * width, center=place).points.astype(np.float64))]


def where(faces):
    return [tuple(round(float(value)) for value in face.points[[33, 263], :2].mean(axis=0)) for face in faces]


def test_a_clear_face_costs_one_call():
    engine = PaintedEngine()
    faces = Cascade(engine).find(painted((300, 400), (150, 150, 80, BRIGHT)))
    assert (where(faces), faces[0].step, faces[0].image_size) == ([(150, 150)], "as-is", (300, 400))
    assert engine.calls == ["mesh"]


def test_a_dim_face_is_found_by_the_next_step_and_looked_at_twice_more():
    engine = PaintedEngine()
    faces = Cascade(engine).find(painted((300, 400), (150, 150, 80, DIM)))
    assert (where(faces), faces[0].step) == ([(150, 150)], "low-confidence")
    assert engine.calls == ["mesh", *["tentative"] * 3]


def test_an_engine_that_is_never_sure_looks_twice_more():
    engine = PaintedEngine()
    engine.is_sure = False
    assert Cascade(engine).find(painted((300, 400), (150, 150, 80, BRIGHT)))[0].step == "as-is"
    assert engine.calls == ["mesh", *["tentative"] * 2]


def test_an_engine_may_ask_for_closer_agreement():
    engine = PaintedEngine()
    engine.largest_disagreement = 0.0
    assert Cascade(engine).find(painted((300, 400), (150, 150, 80, DIM))) == []


def test_a_face_too_small_for_the_mesh_is_found_by_the_full_range_detector():
    faces = Cascade(PaintedEngine(smallest=0.1)).find(painted((900, 700), (500, 300, 50, BRIGHT)))
    assert faces[0].step == "full-range"
    assert np.abs(np.subtract(where(faces), (500, 300))).max() <= 1


def test_a_mesh_that_does_not_stay_is_no_face():
    engine = FickleEngine()
    image = painted((300, 300), (150, 120, 90, DIM))
    assert Cascade(engine).find(image) == []
    assert Cascade(engine).find(image, every_face=True) == []
    assert Cascade(engine).find(image, boxes=[(60, 60, 180, 180)]) == []


def test_nothing_is_found_in_an_empty_picture_whatever_its_size():
    cascade = Cascade(PaintedEngine())
    for size in ((1, 1), (1, 900), (4000, 3), (640, 480)):
        assert cascade.find(painted(size)) == []
        assert cascade.find(painted(size), every_face=True) == []


GROUP = [(200, 200, 60, BRIGHT), (600, 210, 90, BRIGHT), (1000, 600, 40, DIM), (300, 610, 50, BRIGHT)]


def test_every_face_of_a_group_is_found_once_and_the_largest_comes_first():
    faces = Cascade(PaintedEngine()).find(painted((1200, 900), *GROUP), every_face=True)
    expected = [face[:2] for face in sorted(GROUP, key=lambda face: -face[2])]
    assert np.abs(np.subtract(where(faces), expected)).max() <= 1
    assert [face.step for face in faces] == ["as-is", "as-is", "as-is", "tiles"]


def face_box(x, y, eyes):
    return (x - 0.8 * eyes, y - 0.6 * eyes, 1.6 * eyes, 1.8 * eyes)


@pytest.mark.parametrize(
    ("boxes", "every_face", "expected"),
    [
        ([face_box(200, 200, 60)], False, [(200, 200)]),
        ([face_box(200, 200, 60), face_box(600, 210, 90)], False, [(600, 210)]),
        ([face_box(200, 200, 60), face_box(600, 210, 90)], True, [(600, 210), (200, 200)]),
        ([face_box(200, 200, 60)] * 2, True, [(200, 200)]),
        ([face_box(1000, 600, 40)], False, [(1000, 600)]),
        ([(700, 400, 100, 120)], True, []),
        ([(100, 100, 0, 0)], True, []),
        ([(-900, -900, 100, 100)], True, []),
        ([(200, 200, 6, 8)], True, []),
        ([(0, 0, 1200, 900)], True, []),
    ],
    ids=[
        "one",
        "the largest",
        "both",
        "marked twice",
        "a dim one",
        "an empty place",
        "no size",
        "outside",
        "too small to be a face's",
        "far larger than any face in it",
    ],
)
def test_only_faces_in_the_marked_boxes_are_found(boxes, every_face, expected):
    faces = Cascade(PaintedEngine()).find(painted((1200, 900), *GROUP), boxes=boxes, every_face=every_face)
    assert len(faces) == len(expected)
    assert all(face.step == "box" for face in faces)
    if expected:
        assert np.abs(np.subtract(where(faces), expected)).max() <= 1


@pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="this OpenCV has no Haar cascades")
def test_haar_replaces_the_steps():
    engine = PaintedEngine()
    assert Cascade(engine, "haar").find(painted((300, 400), (150, 150, 80, BRIGHT))) == []
    assert engine.calls == []


class ShakyEngine(PaintedEngine):
    """Fits the painted faces right in every image, but each time a little elsewhere without the detector."""

    def refit(self, view):
        mesh = super().refit(view)
        step = 30.0 * self.calls.count("refit")
        return mesh and Mesh(mesh.points + np.array([step, 0.0, 0.0]))


def doubtful(image, mesh):
    """A first opinion that asks for further looks."""
    return Opinion(-2.0, -3.0, is_clear=False)


def upright_only(image, mesh):
    """The second opinion on painted faces of which only those with the eyes side by side are right."""
    across = mesh.points[263, :2] - mesh.points[33, :2]
    return Opinion(3.0 if across[0] > abs(across[1]) else -3.0, -3.0)


def test_a_doubtful_face_is_believed_if_two_more_looks_give_the_same_mesh(monkeypatch):
    engine = PaintedEngine()
    monkeypatch.setattr("maskgen.landmarks.mesh_judge.opinion", doubtful)
    (face,) = Cascade(engine).find(painted((300, 400), (150, 150, 80, BRIGHT)))
    assert (where([face]), engine.calls) == ([(150, 150)], ["mesh", "refit", "refit"])
    assert face.mesh_score > 0.95


def test_a_doubtful_face_whose_mesh_moves_is_not_believed(monkeypatch):
    monkeypatch.setattr("maskgen.landmarks.mesh_judge.opinion", doubtful)
    (face,) = Cascade(ShakyEngine()).find(painted((300, 300), (150, 150, 80, BRIGHT)))
    assert face.mesh_score < 0.5
    assert where([face]) == [(150, 150)]


def test_a_doubtful_mesh_is_replaced_by_the_first_good_one(monkeypatch):
    logits = iter([0.5, 0.8, 0.9, 1.0])
    monkeypatch.setattr("maskgen.landmarks.mesh_judge.opinion", doubtful)
    monkeypatch.setattr(
        "maskgen.landmarks.mesh_judge.second_opinion",
        lambda first, mesh, further: Opinion(next(logits), -3.0),
    )
    (face,) = Cascade(PaintedEngine()).find(painted((300, 300), (150, 150, 80, BRIGHT)))
    assert face.mesh_score == pytest.approx(0.731, abs=1e-3)  # of logit 1


def test_a_face_that_no_further_look_finds_is_not_believed(monkeypatch):
    monkeypatch.setattr("maskgen.landmarks.mesh_judge.opinion", doubtful)
    monkeypatch.setattr(PaintedEngine, "refit", lambda engine, view: None)
    (face,) = Cascade(PaintedEngine()).find(painted((300, 300), (150, 150, 80, BRIGHT)))
    assert face.mesh_score < 0.01


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_found_only_in_the_turned_image_comes_back_to_its_place(monkeypatch, quarters):
    """The painted engine finds two eyes at any angle; the second opinion believes them side by side only."""
    engine = PaintedEngine()
    upright = painted((300, 400), (120, 150, 80, BRIGHT))
    (expected,) = Cascade(engine).find(upright)
    monkeypatch.setattr("maskgen.landmarks.mesh_judge.opinion", upright_only)
    # Painted faces are steady at any angle: only their first look tells them apart.
    monkeypatch.setattr("maskgen.landmarks.mesh_judge.second_opinion", lambda first, mesh, further: first)
    image = np.ascontiguousarray(np.rot90(upright, -quarters))
    (face,) = Cascade(engine).find(image)
    assert face.image_size == image.shape[1::-1]
    if quarters != 2:  # painted eyes look the same upside down
        assert face.step == "turned"
        turned_back = {1: lambda x, y: (y, 399 - x), 3: lambda x, y: (299 - y, x)}[quarters]
        middle = turned_back(*where([face])[0])
        assert np.abs(np.subtract(middle, where([expected])[0])).max() <= 1


def test_the_engine_is_closed_with_the_cascade():
    engine = PaintedEngine()
    Cascade(engine).close()
    assert engine.calls == ["close"]
