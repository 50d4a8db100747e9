"""Landmark files: what is written is read again, and what is damaged is named by its line."""

import json

import numpy as np
import pytest
from synthetic_faces import mean_face

from maskgen.errors import LandmarkFileError
from maskgen.landmarks import LandmarkerSpec, open_landmarker
from maskgen.landmarks.landmark_file import LandmarkFile, landmark_line, write_landmark_file

IMAGE = np.zeros((400, 400, 3), np.uint8)


def faces():
    return [mean_face(eye_distance=100.123), mean_face(eye_distance=33.3, center=(77.7, 66.6), yaw=21)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "faces.jsonl"


def test_faces_come_back_to_the_bit_in_any_order(path):
    written = {"b/1.jpg": faces(), 'a é "quoted".png': faces()[:1], "none.jpg": []}
    rows = ((sample_id, (400, 400), found) for sample_id, found in written.items())
    assert write_landmark_file(path, rows) == 3
    landmarker = open_landmarker(LandmarkerSpec(str(path)))
    assert len(landmarker) == 3
    for sample_id in [*reversed(written), *written]:
        found = landmarker.find(IMAGE, sample_id=sample_id, boxes=[(1, 2, 3, 4)], every_face=True)
        assert [face.step for face in found] == [face.step for face in written[sample_id]]
        assert all((a.points == b.points).all() for a, b in zip(found, written[sample_id], strict=True))
        assert all(face.image_size == (400, 400) for face in found)
    landmarker.close()


def test_points_have_two_decimals():
    row = json.loads(landmark_line("x", (400, 400), faces()))
    assert list(row) == ["id", "width", "height", "faces"]
    numbers = row["faces"][0]["points"]
    assert len(numbers) == 468 * 3
    assert all(round(number, 2) == number for number in numbers)


def test_a_file_of_ones_own_may_order_its_keys_otherwise_and_leave_out_the_step(path):
    row = json.loads(landmark_line("x", (400, 400), faces()[:1]))
    del row["faces"][0]["step"]
    path.write_text(json.dumps(dict(reversed(row.items()))) + "\n\n", encoding="utf-8")
    (face,) = LandmarkFile(path).find(IMAGE, sample_id="x")
    assert face.step == "file"


GOOD = landmark_line("good", (400, 400), faces()[:1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "nonsense\n", "line 2: not JSON"),
        (GOOD + "[]\n", "line 2: expected an object, got list"),
        (GOOD + '{"width": 3}\n', 'line 2: there is no text under "id"'),
        (GOOD + '{"id": 3}\n', 'line 2: there is no text under "id"'),
        (GOOD + "\n" + GOOD, "line 3: 'good' is in line 1 already"),
    ],
)
def test_a_file_without_ids_is_refused_when_it_is_opened(path, text, message):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LandmarkFileError, match=message):
        LandmarkFile(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "x", "width": 400, "height": 400, "faces"', "line 2: not JSON"),
        ('{"id": "x", "width": 400, "height": 400}', 'line 2: there is no list under "faces"'),
        ('{"id": "x", "width": 400, "height": 300, "faces": []}', "line 2: 'x' is 400x300 there.*400x400"),
        ('{"id": "x", "faces": []}', "line 2: 'x' is NonexNone there"),
        ('{"id": "x", "width": 400, "height": 400, "faces": [3]}', "line 2: .*points"),
        ('{"id": "x", "width": 400, "height": 400, "faces": [{"points": [1, 2]}]}', "line 2: .*1404 numbers"),
        ('{"id": "x", "width": 400, "height": 400, "faces": [{"points": ["a"]}]}', "line 2: .*numbers"),
        (
            GOOD.replace("good", "x").strip().replace('"points": [', '"points": [NaN, ', 1),
            "line 2: not JSON",
        ),
    ],
)
def test_a_damaged_line_is_named_when_it_is_needed(path, line, message):
    path.write_text(GOOD + line + "\n", encoding="utf-8")
    landmarker = LandmarkFile(path)
    assert landmarker.find(IMAGE, sample_id="good")
    with pytest.raises(LandmarkFileError, match=message):
        landmarker.find(IMAGE, sample_id="x")


@pytest.mark.parametrize(("sample_id", "message"), [("y", "no line for 'y'"), (None, "goes by sample id")])
def test_a_sample_that_is_not_there(path, sample_id, message):
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(LandmarkFileError, match=message):
        LandmarkFile(path).find(IMAGE, sample_id=sample_id)


def test_a_file_that_is_not_there(path):
    with pytest.raises(LandmarkFileError, match=r"faces\.jsonl cannot be read"):
        open_landmarker(LandmarkerSpec(str(path)))


def test_what_the_model_found_is_what_the_file_gives(path, litert, astronaut):
    found = litert.find(astronaut)
    write_landmark_file(path, [("a", (512, 512), found)])
    (read,) = LandmarkFile(path).find(astronaut, sample_id="a")
    assert (read.points == found[0].points).all()
    assert read.step == found[0].step


@pytest.mark.parametrize(
    "change",
    [
        ",".join,
        " , ".join,
        lambda numbers: ", ".join([f"{float(numbers[0]):e}", *numbers[1:]]),
        lambda numbers: ", ".join([numbers[0] + "000000000000000001", *numbers[1:]]),
        lambda numbers: ",\n".join(numbers).replace("\n", "\t"),
    ],
    ids=["no spaces", "more spaces", "an exponent", "many digits", "tabs"],
)
def test_numbers_written_by_another_program_are_read_alike(tmp_path, change):
    line = landmark_line("a.jpg", (400, 400), [mean_face()])
    head, rest = line.split('"points": [')
    numbers, tail = rest.split("]", 1)
    texts = {"own.jsonl": line, "other.jsonl": f'{head}"points": [{change(numbers.split(", "))}]{tail}'}
    found = []
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        found += LandmarkFile(tmp_path / name).find(np.zeros((400, 400, 3), np.uint8), sample_id="a.jpg")
    assert (found[0].points == found[1].points).all()
    assert (found[0].points == mean_face().points).all()


@pytest.mark.parametrize("number", ["01", "1.", ".5", "-", "1e", "--1", "1 2", "", "+1", "0x1"])
def test_what_is_no_number_in_json_is_refused(tmp_path, number):
    line = landmark_line("a.jpg", (400, 400), [mean_face()])
    head, rest = line.split('"points": [')
    (tmp_path / "file").write_text(f'{head}"points": [{number}{rest[rest.index(",") :]}')
    with pytest.raises(LandmarkFileError, match="not JSON"):
        LandmarkFile(tmp_path / "file").find(np.zeros((400, 400, 3), np.uint8), sample_id="a.jpg")
