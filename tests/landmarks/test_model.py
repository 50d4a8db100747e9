"""What the real models find, on the one portrait that needs no download."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskgen.datasets.sample import SHIPS_IN
from maskgen.errors import ModelError
from maskgen.images.codec import decode
from maskgen.landmarks import LandmarkerSpec, open_landmarker
from maskgen.landmarks.litert import LiteRtEngine

# Places of the astronaut's features, read off the image by eye.
FEATURES = {
    "left_eye": (202, 101),
    "right_eye": (246, 103),
    "nose_tip": (224, 126),
    "mouth": (222, 145),
    "chin": (222, 177),
}


def middle(face):
    return face.points[:, :2].mean(axis=0)


def test_the_landmarks_are_where_the_features_are(landmarker, astronaut):
    (face,) = landmarker.find(astronaut)
    for name, place in FEATURES.items():
        assert np.linalg.norm(face.anchor(name) - place) < 6, name
    assert face.step == "as-is"
    assert abs(face.pose["roll"]) < 6


def test_a_face_found_as_is_costs_one_call_of_the_model(litert, head, monkeypatch):
    calls = []
    meshes = litert._engine.meshes

    def counted(image, **how):
        calls.append(how)
        return meshes(image, **how)

    monkeypatch.setattr(litert._engine, "meshes", counted)
    assert litert.find(head)
    assert len(calls) == 1


def test_the_picture_is_left_as_it_was(landmarker, astronaut):
    image = astronaut.copy()
    landmarker.find(image, every_face=True)
    assert (image == astronaut).all()


def test_the_points_do_not_depend_on_what_was_seen_before(landmarker, astronaut, head):
    first = [landmarker.find(picture)[0].points for picture in (astronaut, head)]
    landmarker.find(np.zeros((50, 400, 3), np.uint8))
    landmarker.find(cv2.flip(astronaut, 0), every_face=True)
    again = [landmarker.find(picture)[0].points for picture in (head, astronaut)]
    assert (first[0] == again[1]).all()
    assert (first[1] == again[0]).all()


PROGRAM = """
import hashlib, sys, numpy as np
from maskgen.datasets.sample import SHIPS_IN
from maskgen.errors import ModelError
from maskgen.images.codec import decode
from maskgen.landmarks import LandmarkerSpec, open_landmarker
image = np.load(sys.argv[1])
faces = [open_landmarker(LandmarkerSpec()).find(image, every_face=every)[0] for every in (False, True)]
print(*(hashlib.sha256(face.points.tobytes()).hexdigest() for face in faces))
print([name for name in ("mediapipe", "tensorflow") if name in sys.modules])
"""


def test_every_process_finds_the_same_points_and_says_nothing(astronaut, tmp_path):
    np.save(tmp_path / "image.npy", astronaut)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "image.npy")]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.splitlines()[1] == "[]"
    assert [run.stderr for run in runs] == ["", ""]


def turned(image, degrees):
    """The image turned clockwise about its middle."""
    size = image.shape[1], image.shape[0]
    matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), -degrees, 0.7)
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), matrix


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_turned_face_has_the_same_points_turned(litert, head, degrees):
    upright = litert.find(head)[0]
    image, matrix = turned(head, degrees)
    (face,) = litert.find(image)
    expected = upright.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(face.points[:, :2] - expected, axis=1).mean() < 0.05 * face.eye_distance
    assert face.pose["roll"] - upright.pose["roll"] == pytest.approx(degrees, abs=3)


@pytest.mark.parametrize(
    ("width", "height", "scale"),
    [(512, 512, 1.0), (1500, 1000, 0.5), (900, 1400, 0.35), (4000, 3000, 2.0), (4000, 3000, 0.8)],
)
def test_a_face_anywhere_in_a_larger_picture(litert, head, width, height, scale):
    face = litert.find(head)[0]
    small = cv2.resize(
        head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    image = np.full((height, width, 3), 96, np.uint8)
    left, top = int((width - small.shape[1]) * 0.7), int((height - small.shape[0]) * 0.4)
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    (found,) = litert.find(image)
    expected = face.points[:, :2] * scale + (left, top)
    assert np.linalg.norm(found.points[:, :2] - expected, axis=1).mean() < 0.06 * face.eye_distance * scale


def test_a_crop_as_tight_as_the_face_itself(litert, astronaut):
    face = litert.find(astronaut)[0]
    left, top, width, height = (round(value) for value in face.box)
    found = litert.find(np.ascontiguousarray(astronaut[top : top + height, left : left + width]))
    assert found
    apart = np.linalg.norm(found[0].points[:, :2] + (left, top) - face.points[:, :2], axis=1).mean()
    assert apart < 0.08 * face.eye_distance


def test_every_face_of_a_group(litert, head):
    small = cv2.resize(head, (105, 105), interpolation=cv2.INTER_AREA)
    image = np.full((700, 1200, 3), 96, np.uint8)
    image[300:510, 100:310] = head
    for left, top in ((500, 80), (700, 500), (1000, 200)):
        image[top : top + 105, left : left + 105] = small
    faces = litert.find(image, every_face=True)
    assert len(faces) == 4
    assert [face.eye_distance > 60 for face in faces] == [True, False, False, False]
    assert len(litert.find(image)) == 1
    (marked,) = litert.find(image, boxes=[(515, 95, 75, 90)])
    assert np.abs(middle(marked) - (552, 140)).max() < 30


def test_a_grey_picture(landmarker, head):
    grey = cv2.cvtColor(cv2.cvtColor(head, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    assert np.abs(middle(landmarker.find(grey)[0]) - middle(landmarker.find(head)[0])).max() < 5


FACELESS = (
    *("brick", "cell", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel", "horse"),
    *(
        "hubble_deep_field",
        "immunohistochemistry",
        "microaneurysms",
        "moon",
        "page",
        "retina",
        "rocket",
        "text",
    ),
)


def faceless(name):
    data = pytest.importorskip("skimage.data")
    try:
        picture = getattr(data, name)()
    except (ConnectionError, ModuleNotFoundError, OSError):
        pytest.skip(f"scikit-image's wheel has no {name}")
    picture = picture.astype(np.uint8) * (255 if picture.dtype == bool else 1)
    grey = picture.ndim == 2
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR if grey else cv2.COLOR_RGB2BGR)


@pytest.mark.parametrize("name", FACELESS)
def test_no_face_is_found_where_there_is_none(landmarker, name):
    image = faceless(name)
    assert landmarker.find(image) == []
    assert landmarker.find(image, every_face=True) == []


@pytest.mark.parametrize(
    "image",
    [
        np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8),
        np.full((300, 200, 3), 128, np.uint8),
        np.tile(np.indices((8, 8)).sum(axis=0)[:, :, None].astype(np.uint8) * 18, (32, 32, 3)),
        cv2.circle(np.full((256, 256, 3), 60, np.uint8), (128, 128), 80, (140, 170, 220), -1),
        np.zeros((1, 1, 3), np.uint8),
        np.full((2, 900, 3), 200, np.uint8),
    ],
    ids=["noise", "flat", "texture", "ball", "one pixel", "a line"],
)
def test_no_face_is_found_in_what_is_no_photograph(landmarker, image):
    assert landmarker.find(image) == []


def test_haar_finds_the_face_too(litert, astronaut):
    landmarker = open_landmarker(LandmarkerSpec(detector="haar"))
    if not hasattr(cv2, "CascadeClassifier"):
        with pytest.raises(ModelError, match="has no Haar cascades; install opencv-contrib-python"):
            landmarker.find(astronaut)
        return
    (face,) = landmarker.find(astronaut)
    assert face.step == "haar"
    assert np.abs(middle(face) - middle(litert.find(astronaut)[0])).max() < 3
    assert landmarker.find(np.full((300, 300, 3), 128, np.uint8)) == []
    landmarker.close()


def golden():
    """Name of a sample portrait -> (468, 3) points of mediapipe 0.10.21's FaceMesh.process."""
    return json.loads(Path(__file__).with_name("golden_landmarks.json").read_text())["points"]


@pytest.mark.parametrize("name", sorted(golden()))
def test_the_points_are_those_of_mediapipes_face_mesh(litert, name):
    (face,) = litert.find(decode((SHIPS_IN / name).read_bytes()).bgr)
    apart = np.linalg.norm(face.points - golden()[name], axis=1)
    # OpenCV 5 interpolates more exactly than OpenCV 4, which mediapipe 0.10.21 has.
    assert apart.mean() < 0.1
    assert apart.max() < (0.1 if cv2.__version__ < "5" else 0.3)
    assert (0.5 < face.detection < 1, 0.9 < face.presence <= 1) == (True, True)


def test_the_old_graph_finds_the_same_points(litert, astronaut):
    try:
        graph = open_landmarker(LandmarkerSpec("mediapipe"))
    except ModelError as error:
        pytest.skip(str(error))
    (face,) = graph.find(astronaut)
    graph.close()
    assert np.abs(face.points - litert.find(astronaut)[0].points).max() < 0.1


def test_the_models_take_one_thread_each(litert, astronaut):
    litert.find(astronaut)
    before = _threads()
    engine = LiteRtEngine()
    engine.open_all()
    engine.meshes(astronaut)
    engine.locate(astronaut)
    assert _threads() == before
    engine.close()


def _threads() -> int | None:
    """How many threads this process has; None where the system does not say."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else None
