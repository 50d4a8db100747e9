"""What decides how bright and how coloured white is: the scene and the eyes, and not the skin."""

import cv2
import numpy as np
import pytest
from synthetic_faces import mean_face

from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.eye_white import eye_white

EYES = ((33, 160, 158, 133, 153, 144), (263, 387, 385, 362, 380, 373))
SKINS = {"light": (133, 162, 222), "brown": (70, 86, 120), "dark": (35, 43, 60)}
# Three of one luminance: no monochrome image has them.
WALLS = ((60, 60, 60), (190, 110, 113), (100, 139, 90), (215, 215, 215), (110, 100, 163))
USUAL_LIGHT = np.array([0.85, 1.0, 1.12])  # photographs are warm
EVEN = np.ones(3)
LUMINANCE = np.array([0.114, 0.587, 0.299])


def scene(skin="light", light=EVEN, white=215):
    """A face before walls of all colours under one light."""
    landmarks = mean_face()
    image = np.empty((400, 400, 3), np.uint8)
    for n in range(25):
        image[16 * n : 16 * n + 16] = np.array(WALLS[n % 5]) * USUAL_LIGHT
    cv2.fillPoly(image, [landmarks.oval.astype(np.int32)], SKINS[skin])
    for outline in EYES:
        cv2.fillPoly(image, [landmarks.points[list(outline), :2].astype(np.int32)], (white, white, white))
    return (image * light).astype(np.uint8), landmarks


def gains(*given, **named):
    return FaceContext(*scene(*given, **named)).light.gains


@pytest.mark.parametrize("skin", SKINS)
def test_white_is_as_bright_on_every_skin(skin):
    assert np.log(gains(skin).mean() / gains("light").mean()) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.12])
def test_white_is_no_brighter_than_the_whites_of_the_eyes_allow(factor):
    dark = gains(light=EVEN * factor)
    assert dark.mean() < gains().mean()
    assert 240 * dark.mean() < 3.6 * 215 * factor


def test_in_a_dark_image_it_is_darker_still_for_a_dark_face():
    bright_eyes, dark_eyes = (gains("dark", EVEN * 0.4, white) for white in (215, 60))
    assert dark_eyes.mean() < 0.8 * bright_eyes.mean()


@pytest.mark.parametrize("skin", SKINS)
def test_the_colour_of_the_skin_alone_is_no_cast(skin):
    blue, green, red = np.log(gains(skin)).tolist()
    assert abs(blue - green) < 0.06 and abs(red - green) < 0.06


@pytest.mark.parametrize("tint", [(0.6, 0.9, 1.0), (1.0, 0.9, 0.7)], ids=["warm", "cold"])
def test_a_cast_of_the_whole_image_is_followed(tint):
    blue, _, red = np.log(gains(light=np.array(tint)))
    assert np.sign(red - blue) == np.sign(tint[2] - tint[0])
    # A part of it: small casts are people and places as well.
    assert abs(red - blue) > 0.1 * abs(np.log(tint[2] / tint[0]))


def test_in_orange_light_before_yellow_walls_white_is_orange():
    image, landmarks = scene(light=np.array((0.4, 0.8, 1.0)))
    face = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [landmarks.oval.astype(np.int32)], 1)
    image[face == 0] = (image[face == 0] * (1, 1.25, 0.9)).astype(np.uint8)
    blue, green, red = np.log(FaceContext(image, landmarks).light.gains)
    assert blue < green - 0.1 and red > green + 0.05


@pytest.mark.parametrize(("tint", "coloured"), [((0.9, 0.9, 1.0), False), ((0.45, 0.45, 1.0), True)])
def test_a_face_redder_than_any_skin_is_in_red_light(tint, coloured):
    """A spotlight: what is around the face has no cast."""
    image, landmarks = scene()
    face = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [landmarks.oval.astype(np.int32)], 1)
    image[face == 1] = (image[face == 1] * tint).astype(np.uint8)
    _, green, red = np.log(FaceContext(image, landmarks).light.gains)
    assert (red - green > 0.15) == coloured and (abs(red - green) < 0.06) == (not coloured)


def test_the_strongest_channel_of_white_does_not_clip_in_strongly_coloured_light():
    """Clipped, it would be as strong as its neighbour: orange light would give yellow masks, too bright."""
    orange = gains(light=np.array((0.2, 0.55, 1.0)))
    assert 240 * orange.max() < 256
    assert orange[1] < 0.85 * orange[2] and orange @ LUMINANCE < 0.85 * (gains() @ LUMINANCE)


def test_a_face_without_eyes_in_view_has_no_white():
    image, _ = scene()
    assert eye_white(image, mean_face(center=(900.0, 160.0))) is None
    assert eye_white(image, mean_face(eye_distance=4.0)) is None


def test_the_white_of_the_eyes_is_measured_between_the_lids():
    image, landmarks = scene("dark", white=180)
    assert eye_white(image, landmarks) == pytest.approx(np.log1p(180), abs=0.05)
