"""What every fit must do, in case tables: with a garment and with a template that is an image."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_faces import canonical_anchors, in_image, laid, mean_face, plain_template

from maskgen.masking.coverage import coverage, wear_agrees
from maskgen.masking.fits import FIT_FUNCTIONS
from maskgen.masking.fits.lower_face import lower_face_layer
from maskgen.masking.fits.warp import warp_template
from maskgen.masking.templates.pyramid import premultiplied_levels

FITS = sorted(FIT_FUNCTIONS)
GARMENT, IMAGE = "surgical_blue", plain_template()
CONTENTS = pytest.mark.parametrize("template", [GARMENT, IMAGE], ids=["garment", "image"])


def shares_of(fit, template, face, wear="correct"):
    return coverage(in_image(laid(fit, template, face, wear), face), face)[0]


def axis_of(layer):
    """Direction from the top to the bottom of the layer's own midline, in degrees from straight down."""
    red = (layer.bgr[:, :, 2] > 128) & (layer.alpha > 128)
    y, x = np.nonzero(red)
    slope = np.polyfit(y, x, 1)[0]
    return -np.degrees(np.arctan(slope))


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("roll", [-30, -20, -10, 0, 10, 20, 30])
def test_the_axis_of_an_image_follows_the_roll_to_within_two_degrees(fit, roll):
    template = plain_template((200, 0, 0))
    template.bgra[:, 500:525, :3] = (0, 0, 255)
    assert axis_of(laid(fit, template, mean_face(roll=roll))) == pytest.approx(roll, abs=2)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("roll", [-30, 30, 90, 180])
@CONTENTS
def test_a_tilted_head_wears_the_upright_heads_mask_tilted(fit, template, roll):
    upright, tilted = mean_face(center=(200.0, 200.0)), mean_face(center=(200.0, 200.0), roll=roll)
    turn = cv2.getRotationMatrix2D((200, 200), -roll, 1)
    expected = cv2.warpAffine(in_image(laid(fit, template, upright), upright), turn, (400, 400)) > 127
    alpha = in_image(laid(fit, template, tilted), tilted) > 127
    assert (alpha & expected).sum() > 0.97 * (alpha | expected).sum()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("yaw", [-70, -55, -40, -20, 0, 20, 40, 55, 70])
@CONTENTS
def test_nose_mouth_and_chin_are_covered_at_every_yaw(fit, template, yaw):
    shares = shares_of(fit, template, mean_face(yaw=yaw))
    assert shares["nose"] >= 0.95 and shares["mouth"] >= 0.995 and shares["chin"] >= 0.9, shares


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("pitch", [-15, 0, 25])
@CONTENTS
def test_nose_mouth_and_chin_are_covered_at_every_pitch(fit, template, pitch):
    shares = shares_of(fit, template, mean_face(pitch=pitch))
    assert wear_agrees("correct", shares), shares


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("wear", ["correct", "nose-out", "mouth-out", "chin"])
@CONTENTS
def test_a_wear_covers_what_its_name_says(fit, template, wear):
    shares = shares_of(fit, template, mean_face(), wear)
    assert wear_agrees(wear, shares), shares


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("yaw", [-60, -30, 0, 30, 60])
def test_the_seam_is_continuous(fit, yaw):
    """A smooth ramp laid over the face stays smooth: no pixel differs from its neighbour by a step."""
    template = plain_template()
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)
    template.bgra[:, :, 0] = ramp
    template.bgra[:, :, 1] = ramp[:896, None]
    layer = laid(fit, template, mean_face(yaw=yaw))
    inside = cv2.erode(layer.alpha, np.ones((5, 5), np.uint8)) == 255
    steps = np.abs(np.diff(layer.bgr[:, :, :2].astype(int), axis=0)).max(axis=2)
    assert steps[inside[1:] & inside[:-1]].max() < 30


@pytest.mark.parametrize("fit", FITS)
@CONTENTS
def test_a_fit_is_none_where_the_face_is_outside_the_image(fit, template):
    assert laid(fit, template, mean_face(center=(2000.0, 100.0))) is None


@pytest.mark.parametrize("fit", FITS)
@CONTENTS
@settings(max_examples=30, deadline=None)
@given(
    yaw=st.floats(-90, 90),
    pitch=st.floats(-60, 60),
    roll=st.floats(-180, 180),
    eye_distance=st.floats(2, 300),
    x=st.floats(-50, 450),
    y=st.floats(-50, 450),
)
def test_no_pose_breaks_a_fit(fit, template, yaw, pitch, roll, eye_distance, x, y):
    face = mean_face(yaw=yaw, pitch=pitch, roll=roll, eye_distance=eye_distance, center=(x, y))
    layer = laid(fit, template, face)
    if layer is not None:
        (left, top), (height, width) = layer.origin, layer.alpha.shape
        assert left >= 0 and top >= 0 and left + width <= 400 and top + height <= 400
        assert layer.bgr.dtype == layer.alpha.dtype == np.uint8


@pytest.mark.parametrize("fit", FITS)
@CONTENTS
def test_twice_the_face_is_twice_the_layer(fit, template):
    faces = [
        mean_face(size=(k * 400, k * 400), eye_distance=100.0 * k, center=(200.5 * k - 0.5, 160.5 * k - 0.5))
        for k in (1, 2)
    ]
    small, large = (in_image(laid(fit, template, face), face) for face in faces)
    half = cv2.resize(large, (400, 400), interpolation=cv2.INTER_AREA)
    assert np.abs(half.astype(int) - small).mean() < 0.8


@pytest.mark.parametrize("fit", FITS)
def test_a_small_face_gets_a_filtered_image(fit):
    """One-pixel stripes become their mean, not every twentieth of them."""
    template = plain_template()
    template.bgra[::2, :, :3] = 0
    template.bgra[1::2, :, :3] = 200
    layer = laid(fit, template, mean_face(eye_distance=30))
    inside = layer.bgr[cv2.erode(layer.alpha, np.ones((7, 7), np.uint8)) == 255]
    assert np.abs(inside.astype(int) - 100).max() < 12


def own_frame():
    """The plain template at half its size, off its usual place, with anchors that say so."""
    bgra = np.zeros((600, 700, 4), np.uint8)
    bgra[90:538, 140:652] = plain_template().bgra[::2, ::2]
    anchors = {name: (x / 2 + 140, y / 2 + 90) for name, (x, y) in canonical_anchors().items()}
    return replace(plain_template(), bgra=bgra, anchors=anchors)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("anchor", ["nose_tip", "mouth", "chin", "left_mouth", "right_mouth"])
@pytest.mark.parametrize("frame", [plain_template, own_frame], ids=["maskgen's frame", "its own frame"])
def test_a_spot_at_an_anchor_of_an_image_lies_there_on_the_face(fit, anchor, frame):
    template, face = frame(), mean_face()
    x, y = (round(value) for value in template.anchors[anchor])
    template.bgra[y - 9 : y + 10, x - 9 : x + 10, :3] = (0, 0, 255)
    layer = laid(fit, template, face)
    rows, columns = np.nonzero((layer.bgr[:, :, 2] > 180) & (layer.bgr[:, :, 0] < 90) & (layer.alpha > 128))
    place = np.array([columns.mean(), rows.mean()]) + layer.origin
    assert np.linalg.norm(place - face.anchor(anchor)) < 6  # of 100 pixels between the eyes


@pytest.mark.parametrize("fit", FITS)
def test_an_image_keeps_its_own_outline(fit):
    """A gap cut out of it is bare on the face, whatever shape its kind has."""
    template, face = plain_template(), mean_face()
    x, y = (round(value) for value in template.anchors["mouth"])
    template.bgra[y - 60 : y + 60, x - 90 : x + 90, 3] = 0
    alpha = in_image(laid(fit, template, face), face)
    (mouth_x, mouth_y), (chin_x, chin_y) = (face.anchor(name).astype(int) for name in ("mouth", "chin"))
    assert alpha[mouth_y, mouth_x] == 0 and alpha[chin_y - 8, chin_x] == 255


def test_a_half_transparent_edge_has_its_straight_colour():
    template = plain_template((40, 80, 160), alpha=np.full((896, 1024), 128, np.uint8))
    x, y = np.meshgrid(np.arange(100, 140, dtype=np.float32), np.arange(100, 140, dtype=np.float32))
    layer = warp_template(premultiplied_levels(template.bgra), x, y, 1.0, (0, 0))
    assert set(np.unique(layer.alpha)) == {128}
    assert np.abs(layer.bgr.astype(int) - (40, 80, 160)).max() <= 2


def test_the_polygon_of_texture_flattening_covers_the_lower_face():
    face = mean_face()
    assert wear_agrees("correct", coverage(in_image(lower_face_layer(face), face), face)[0])
    assert lower_face_layer(mean_face(center=(-2000.0, 0.0))) is None


def test_the_anchors_of_template_space_are_the_mean_faces():
    anchors = canonical_anchors()
    assert anchors["nose_tip"][0] == pytest.approx(512, abs=0.5)
    assert anchors["left_cheek"][0] < anchors["nose_tip"][0] < anchors["right_cheek"][0]
