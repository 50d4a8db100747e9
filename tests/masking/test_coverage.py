import cv2
import numpy as np
import pytest
from synthetic_faces import mean_face

from maskgen.masking.coverage import coverage, wear_agrees


def alpha_below(y, size=(400, 400)):
    alpha = np.zeros(size[::-1], np.uint8)
    alpha[int(y) :] = 255
    return alpha


@pytest.mark.parametrize(
    ("starts_at", "higher", "wear"),
    [("nose_middle", 6, "correct"), ("upper_lip", 6, "nose-out"), ("lower_lip", 0, "mouth-out")],
)
def test_an_alpha_from_there_down_is_that_wear_and_no_other(starts_at, higher, wear):
    face = mean_face()
    shares, _ = coverage(alpha_below(face.anchor(starts_at)[1] - higher), face)
    assert [w for w in ("correct", "nose-out", "mouth-out", "chin") if wear_agrees(w, shares)] == [wear]


def test_nothing_covered_is_no_correct_wear():
    shares, _ = coverage(np.zeros((400, 400), np.uint8), mean_face())
    assert shares == {"nose": 0, "mouth": 0, "chin": 0, "lower_face": 0}
    assert not wear_agrees("correct", shares)


def test_half_an_alpha_covers_half():
    shares, _ = coverage(np.full((400, 400), 128, np.uint8), mean_face())
    assert all(share == pytest.approx(0.502, abs=0.001) for share in shares.values())


def test_coverage_turns_with_the_face():
    upright, tilted = mean_face(), mean_face(roll=40)
    alpha = alpha_below(upright.anchor("nose_base")[1])
    rotation = cv2.getRotationMatrix2D((200, 160), -40, 1)
    turned = cv2.warpAffine(alpha, rotation, (400, 400), borderValue=(0,))
    (a, _), (b, _) = coverage(alpha, upright), coverage(turned, tilted)
    assert all(a[part] == pytest.approx(b[part], abs=0.03) for part in a)


def test_parts_outside_the_image_count_as_not_covered():
    face = mean_face(center=(200.0, 365.0))
    shares, _ = coverage(np.full((400, 400), 255, np.uint8), face)
    assert shares["chin"] == 0
    assert 0 < shares["lower_face"] < 0.7


def test_what_the_image_shows_is_asked_of_apart():
    face = mean_face(center=(200.0, 340.0))
    _, shown = coverage(np.full((400, 400), 255, np.uint8), face)
    assert shown == dict.fromkeys(shown, 1.0) and "lower_face" in shown
    _, away = coverage(np.full((400, 400), 255, np.uint8), mean_face(center=(200.0, 395.0)))
    assert "chin" not in away
    assert wear_agrees("correct", away)


def test_it_does_not_matter_of_which_rectangle_the_alpha_is():
    face = mean_face(center=(30.0, 340.0))
    whole = alpha_below(face.anchor("nose_middle")[1])
    assert coverage(whole[300:, 20:], face, (20, 300)) == coverage(
        np.where(np.arange(400)[None] >= 20, whole, 0).astype(np.uint8), face
    )
