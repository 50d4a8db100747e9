import numpy as np
import pytest
from synthetic_faces import mean_face

from maskgen.face_mesh import Landmarks
from maskgen.records import Layer, Outcome, Sample


@pytest.mark.parametrize("angle", [-40, -20, 0, 15, 45])
@pytest.mark.parametrize("name", ["yaw", "pitch", "roll"])
def test_pose_is_the_angle_the_face_was_turned_by(name, angle):
    frontal = mean_face().pose[name]
    assert mean_face(**{name: angle}).pose[name] == pytest.approx(frontal + angle, abs=1.0)


def test_yaw_is_positive_when_the_nose_points_to_the_images_right():
    face = mean_face(yaw=30)
    middle = (face.anchor("left_eye") + face.anchor("right_eye"))[0] / 2
    assert face.anchor("nose_tip")[0] > middle


def test_pitch_is_positive_when_the_nose_points_down():
    level, down = mean_face(), mean_face(pitch=25)
    drop = [f.anchor("nose_tip")[1] - f.anchor("left_eye")[1] for f in (level, down)]
    assert drop[1] > drop[0]


def test_eye_distance_does_not_shrink_with_yaw():
    assert mean_face(yaw=60).eye_distance == pytest.approx(mean_face().eye_distance, rel=1e-3)


def test_landmarks_are_rounded_to_a_hundredth_so_that_a_file_gives_the_same_bytes():
    points = mean_face().points + np.float32(0.0004)
    assert np.array_equal(Landmarks(points, (9, 9)).points, mean_face().points)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Landmarks(np.zeros((5, 3), np.float32), (9, 9)), r"\(468, 3\), got \(5, 3\)"),
        (lambda: Layer(np.zeros((2, 2, 3), np.uint8), np.zeros((3, 2), np.uint8), (0, 0)), "differ in size"),
        (lambda: Sample("a", None, "a", split="dev"), "'dev'"),
        (lambda: Outcome("lost"), "'lost'"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_what_it_got(make, says):
    with pytest.raises(ValueError, match=says):
        make()
