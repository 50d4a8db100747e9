"""What every compositor must do, and what each one promises."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_faces import laid, mean_face, plain_template

from maskgen.masking.compositors import COMPOSITORS
from maskgen.masking.compositors.overlay import blend
from maskgen.masking.face.context import FaceContext
from maskgen.masking.fits.lower_face import lower_face_layer
from maskgen.records import Layer

BLUE = (200, 160, 90)


def portrait(skin=(120, 150, 200), background=(60, 60, 60), noise=4, **face):
    """A flat face before a flat background, with lips, and its landmarks."""
    landmarks = mean_face(**face)
    width, height = landmarks.image_size
    image = np.full((height, width, 3), background, np.uint8)
    cv2.fillPoly(image, [landmarks.oval.astype(np.int32)], skin)
    lips = landmarks.points[[61, 37, 0, 267, 291, 314, 17, 84], :2].astype(np.int32)
    cv2.fillPoly(image, [lips], (90, 80, 170))
    grain = np.random.default_rng(0).normal(0, noise, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8), landmarks


def layer_on(landmarks, bgr=BLUE):
    return laid("half-split", plain_template(bgr), landmarks)


def inner(layer):
    """Where the layer is opaque, away from its edge."""
    return cv2.erode(layer.alpha, np.ones((9, 9), np.uint8)) == 255


@pytest.mark.parametrize("name", sorted(COMPOSITORS))
def test_pixels_without_alpha_and_the_given_image_stay_as_they_are(name):
    image, landmarks = portrait()
    layer = lower_face_layer(landmarks) if name == "flatten" else layer_on(landmarks)
    before, alpha = image.copy(), layer.alpha.copy()
    composite = COMPOSITORS[name](image, layer, FaceContext(image, landmarks))
    untouched = composite.alpha == 0
    assert untouched.any()
    assert np.array_equal(composite.bgr[untouched], image[composite.window][untouched])
    assert np.array_equal(image, before) and np.array_equal(layer.alpha, alpha)


@pytest.mark.parametrize("name", sorted(COMPOSITORS))
def test_an_empty_layer_changes_nothing(name):
    image, landmarks = portrait()
    empty = Layer(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8), (100, 100))
    assert np.array_equal(
        COMPOSITORS[name](image, empty, FaceContext(image, landmarks)).bgr, image[100:140, 100:140]
    )


@pytest.mark.parametrize("name", sorted(COMPOSITORS))
@pytest.mark.parametrize("center", [(10.0, 160.0), (390.0, 160.0), (200.0, -20.0), (200.0, 330.0)])
def test_a_face_that_is_cut_by_the_images_border_is_composited_too(name, center):
    image, landmarks = portrait(center=center)
    layer = lower_face_layer(landmarks) if name == "flatten" else layer_on(landmarks)
    composite = COMPOSITORS[name](image, layer, FaceContext(image, landmarks))
    assert composite.bgr.shape == image[composite.window].shape


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_a_blended_pixel_lies_between_its_neighbours(under, over, alpha):
    made = blend(
        np.full((1, 1, 3), under, np.uint8),
        np.full((1, 1, 3), over, np.uint8),
        np.full((1, 1), alpha, np.uint8),
    )
    assert min(under, over) <= made[0, 0, 0] <= max(under, over)
    assert made[0, 0, 0] == pytest.approx(under + (over - under) * alpha / 255, abs=0.51)


@pytest.mark.parametrize("name", ["overlay", "poisson"])
def test_no_edge_pixel_glows_or_darkens_beyond_layer_and_image(name):
    image, landmarks = portrait(noise=0)
    layer = layer_on(landmarks)
    composite = COMPOSITORS[name](image, layer, FaceContext(image, landmarks))
    edge = (layer.alpha > 0) & (layer.alpha < 255)
    under = image[layer.window][edge].astype(int)
    body = np.median(composite.bgr[inner(layer)].astype(int), axis=0)
    assert edge.sum() > 100
    over = np.minimum(under, body), np.maximum(under, body)
    slack = 12 if name == "poisson" else 2
    assert (composite.bgr[edge] >= over[0] - slack).all() and (composite.bgr[edge] <= over[1] + slack).all()


def mean_color(composite, layer):
    return composite.bgr[inner(layer)].mean(axis=0)


@pytest.mark.parametrize("bgr", [BLUE, (245, 245, 245), (30, 30, 30), (60, 40, 150)])
def test_poisson_keeps_the_templates_colour_where_plain_cloning_does_not(bgr):
    image, landmarks = portrait()
    layer = layer_on(landmarks, bgr)
    kept = mean_color(COMPOSITORS["poisson"](image, layer, FaceContext(image, landmarks)), layer)
    assert np.abs(kept - bgr).max() <= 15
    plain = plainly_cloned(image, layer)[inner(layer)].mean(axis=0)
    assert np.abs(plain - bgr).max() >= 25


def plainly_cloned(image, layer):
    region = ((layer.alpha > 127) * 255).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(region)
    middle = (layer.origin[0] + x + w // 2, layer.origin[1] + y + h // 2)
    return cv2.seamlessClone(layer.bgr, image, region, middle, cv2.NORMAL_CLONE)[layer.window]


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255), (0, 200, 0)])
def test_the_background_does_not_bleed_into_a_poisson_mask(background):
    image, landmarks = portrait(background=background)
    layer = layer_on(landmarks)
    composite = COMPOSITORS["poisson"](image, layer, FaceContext(image, landmarks))
    assert np.abs(composite.bgr[inner(layer)].astype(int) - BLUE).max() <= 30


def halves(composite, layer, landmarks):
    """Mean grey level of the composite left and right of the face's middle."""
    middle = round(float(landmarks.anchor("nose_tip")[0])) - layer.origin[0]
    grey, inside = composite.bgr.mean(axis=2), inner(layer)
    return grey[:, :middle][inside[:, :middle]].mean(), grey[:, middle:][inside[:, middle:]].mean()


def test_poisson_takes_the_faces_light_where_overlay_does_not():
    image, landmarks = portrait()
    image[:, :200] = (image[:, :200] * 0.4).astype(np.uint8)
    layer = layer_on(landmarks)
    left, right = halves(
        COMPOSITORS["poisson"](image, layer, FaceContext(image, landmarks)), layer, landmarks
    )
    assert left / right <= 1 - (1 - 0.4) / 3
    left, right = halves(
        COMPOSITORS["overlay"](image, layer, FaceContext(image, landmarks)), layer, landmarks
    )
    assert left / right == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("gain", [0.6, 1.2])
def test_a_mask_is_no_brighter_where_the_covered_skin_is(gain):
    """Light on the skin of nose and mouth that its border lacks, as on skins that shine."""
    image, landmarks = portrait()
    layer = layer_on(landmarks)
    x, y = np.rint(landmarks.anchor("nose_tip")).astype(int).tolist()
    lit = np.zeros(image.shape[:2], np.float32)
    cv2.circle(lit, (x, y), round(0.6 * landmarks.eye_distance), [1.0], -1)
    lit = 1 + (gain - 1) * cv2.GaussianBlur(lit, (0, 0), 0.2 * landmarks.eye_distance)
    image = np.clip(image * lit[:, :, None], 0, 255).astype(np.uint8)
    composite = COMPOSITORS["poisson"](image, layer, FaceContext(image, landmarks))
    assert mean_color(composite, layer) == pytest.approx(BLUE, rel=0.03)


def test_flatten_smooths_the_texture_inside_its_polygon():
    image, landmarks = portrait(noise=6)
    layer = lower_face_layer(landmarks)
    composite = COMPOSITORS["flatten"](image, layer, FaceContext(image, landmarks))
    inside = inner(layer)
    before = np.abs(np.diff(image[layer.window].astype(int), axis=1))[inside[:, 1:]].mean()
    after = np.abs(np.diff(composite.bgr.astype(int), axis=1))[inside[:, 1:]].mean()
    assert after < before / 3
