"""What every fit must do, in case tables; the faces are the mean face, turned."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_faces import canonical_anchors, mean_face, plain_template, pyramid, worn

from maskgen.masking.coverage import coverage, wear_agrees
from maskgen.masking.fits import FIT_FUNCTIONS
from maskgen.masking.fits.lower_face import lower_face_layer
from maskgen.masking.fits.warp import warp_template
from maskgen.masking.templates.library import load_template
from maskgen.masking.templates.pyramid import template_levels

FITS = sorted(FIT_FUNCTIONS)


def fitted(fit, face, wear="correct", name="surgical_blue"):
    template = load_template(name)
    return FIT_FUNCTIONS[fit](template, template_levels(template), face, worn(wear))


def whole(layer, face):
    width, height = face.image_size
    alpha = np.zeros((height, width), np.uint8)
    alpha[layer.window] = layer.alpha
    return alpha


def axis_of(layer):
    """Direction from the top to the bottom of the layer's own midline, in degrees from straight down."""
    red = (layer.bgr[:, :, 2] > 128) & (layer.alpha > 128)
    y, x = np.nonzero(red)
    slope = np.polyfit(y, x, 1)[0]
    return -np.degrees(np.arctan(slope))


def midline_template():
    """Blue, with a red line down the middle."""
    template = plain_template((200, 0, 0))
    template.bgra[:, 500:525, :3] = (0, 0, 255)
    return template


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("roll", [-30, -20, -10, 0, 10, 20, 30])
def test_the_axis_follows_the_roll_to_within_two_degrees(fit, roll):
    template = midline_template()
    layer = FIT_FUNCTIONS[fit](template, pyramid(template), mean_face(roll=roll), worn())
    assert axis_of(layer) == pytest.approx(roll, abs=2)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("yaw", [-70, -55, -40, -20, 0, 20, 40, 55, 70])
def test_nose_mouth_and_chin_are_covered_at_every_yaw(fit, yaw):
    face = mean_face(yaw=yaw)
    shares, _ = coverage(whole(fitted(fit, face), face), face)
    assert shares["nose"] >= 0.9 and shares["mouth"] >= 0.95 and shares["chin"] >= 0.9, shares
    assert shares["lower_face"] >= 0.88


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("pitch", [-25, 0, 25])
def test_nose_mouth_and_chin_are_covered_at_every_pitch(fit, pitch):
    face = mean_face(pitch=pitch)
    shares, _ = coverage(whole(fitted(fit, face), face), face)
    assert wear_agrees("correct", shares), shares


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("wear", ["correct", "nose-out", "mouth-out", "chin"])
def test_a_wear_covers_what_its_name_says(fit, wear):
    face = mean_face()
    shares, _ = coverage(whole(fitted(fit, face, wear), face), face)
    assert wear_agrees(wear, shares), shares


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("yaw", [-60, -30, 0, 30, 60])
def test_the_seam_is_continuous(fit, yaw):
    """A smooth ramp laid over the face stays smooth: no pixel differs from its neighbour by a step."""
    template = plain_template()
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)
    template.bgra[:, :, 0] = ramp
    template.bgra[:, :, 1] = ramp[:896, None]
    layer = FIT_FUNCTIONS[fit](template, pyramid(template), mean_face(yaw=yaw), worn())
    inside = cv2.erode(layer.alpha, np.ones((5, 5), np.uint8)) == 255
    steps = np.abs(np.diff(layer.bgr[:, :, :2].astype(int), axis=0)).max(axis=2)
    assert steps[inside[1:] & inside[:-1]].max() < 30


@pytest.mark.parametrize("fit", FITS)
def test_a_fit_is_none_where_the_face_is_outside_the_image(fit):
    assert fitted(fit, mean_face(center=(2000.0, 100.0))) is None


@pytest.mark.parametrize("fit", FITS)
@settings(max_examples=40, deadline=None)
@given(
    yaw=st.floats(-90, 90),
    pitch=st.floats(-60, 60),
    roll=st.floats(-180, 180),
    eye_distance=st.floats(2, 300),
    x=st.floats(-50, 450),
    y=st.floats(-50, 450),
)
def test_no_pose_breaks_a_fit(fit, yaw, pitch, roll, eye_distance, x, y):
    face = mean_face(yaw=yaw, pitch=pitch, roll=roll, eye_distance=eye_distance, center=(x, y))
    layer = fitted(fit, face)
    if layer is not None:
        (left, top), (height, width) = layer.origin, layer.alpha.shape
        assert left >= 0 and top >= 0 and left + width <= 400 and top + height <= 400
        assert layer.bgr.dtype == layer.alpha.dtype == np.uint8


@pytest.mark.parametrize("fit", FITS)
def test_twice_the_face_is_twice_the_layer(fit):
    faces = [
        mean_face(size=(k * 400, k * 400), eye_distance=100.0 * k, center=(200.5 * k - 0.5, 160.5 * k - 0.5))
        for k in (1, 2)
    ]
    small, large = (whole(fitted(fit, face), face) for face in faces)
    half = cv2.resize(large, (400, 400), interpolation=cv2.INTER_AREA)
    assert np.abs(half.astype(int) - small).max() < 80
    assert np.abs(half.astype(int) - small).mean() < 0.4


def test_a_small_face_gets_a_filtered_template():
    """One-pixel stripes become their mean, not every twentieth of them."""
    template = plain_template()
    template.bgra[::2, :, :3] = 0
    template.bgra[1::2, :, :3] = 200
    levels = [pyramid(template)[0]]
    for _ in range(5):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    layer = FIT_FUNCTIONS["half-split"](template, tuple(levels), mean_face(eye_distance=30), worn())
    inside = layer.bgr[cv2.erode(layer.alpha, np.ones((7, 7), np.uint8)) == 255]
    assert np.abs(inside.astype(int) - 100).max() < 12


def test_render_gives_straight_colour_at_a_half_transparent_edge():
    template = plain_template((40, 80, 160), alpha=np.full((896, 1024), 128, np.uint8))
    x, y = np.meshgrid(np.arange(100, 140, dtype=np.float32), np.arange(100, 140, dtype=np.float32))
    layer = warp_template(pyramid(template), x, y, 1.0, (0, 0))
    assert set(np.unique(layer.alpha)) == {128}
    assert np.abs(layer.bgr.astype(int) - (40, 80, 160)).max() <= 2


def test_the_polygon_of_texture_flattening_covers_the_lower_face():
    face = mean_face()
    assert wear_agrees("correct", coverage(whole(lower_face_layer(face), face), face)[0])
    assert lower_face_layer(mean_face(center=(-2000.0, 0.0))) is None


def test_the_anchors_of_template_space_are_the_mean_faces():
    anchors = canonical_anchors()
    assert anchors["nose_tip"][0] == pytest.approx(512, abs=0.5)
    assert anchors["left_cheek"][0] < anchors["nose_tip"][0] < anchors["right_cheek"][0]
