"""What harmonising takes from a photograph, each measured on an image in which only that was changed."""

import cv2
import numpy as np
import pytest
from synthetic_faces import laid, mean_face, plain_template

from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.texture import edge_blur, measure_texture, noise_level
from maskgen.masking.layer.harmonise import harmonise

COLOR = np.array([200.0, 190.0, 180.0])


def portrait(seed=0):
    """A face with eyes, brows, lips and a bright wall with pictures behind it, sharp and without noise."""
    landmarks = mean_face()
    image = np.full((400, 400, 3), (205, 210, 208), np.uint8)
    # Edges of all colours, grey on average.
    for n in range(25):
        color = ((60, 60, 60), (180, 110, 120), (120, 175, 120), (120, 110, 190), (245, 245, 245))[n % 5]
        image[16 * n : 16 * n + 14, :70] = image[16 * n : 16 * n + 14, 330:] = color
    cv2.fillPoly(image, [landmarks.oval.astype(np.int32)], (115, 140, 188))
    for outline, color in (
        ((33, 160, 158, 133, 153, 144), (40, 40, 40)),
        ((263, 387, 385, 362, 380, 373), (40, 40, 40)),
        ((70, 63, 105, 66, 107), (30, 40, 60)),
        ((300, 293, 334, 296, 336), (30, 40, 60)),
        ((61, 37, 0, 267, 291, 314, 17, 84), (90, 80, 170)),
    ):
        cv2.fillPoly(image, [landmarks.points[list(outline), :2].astype(np.int32)], color)
    return image, landmarks


def harmonised(image, landmarks, follow_light=True):
    layer = laid("mesh", plain_template(COLOR), landmarks)
    return harmonise(FaceContext(image, landmarks), layer, 3, follow_light)


def inside(layer):
    return cv2.erode(layer.alpha, np.ones((15, 15), np.uint8)) == 255


def color_of(layer):
    return layer.bgr[inside(layer)].astype(float).mean(axis=0)


@pytest.mark.parametrize("factor", [0.7, 0.5, 0.3])
def test_a_darker_photograph_gives_a_darker_mask_but_never_darker_than_itself(factor):
    image, landmarks = portrait()
    dark = (image * factor).astype(np.uint8)
    followed = np.log(
        color_of(harmonised(dark, landmarks)).mean() / color_of(harmonised(image, landmarks)).mean()
    )
    # A camera exposes for the scene: white masks differ little between photographs.
    assert 0.04 <= followed / np.log(factor) <= 1


@pytest.mark.parametrize("tint", [(0.7, 1, 1), (1, 1, 0.7), (0.6, 0.9, 1), (1, 0.8, 1)])
def test_a_tinted_photograph_gives_a_mask_of_the_same_cast(tint):
    image, landmarks = portrait()
    tinted = (image * np.array(tint)).astype(np.uint8)
    cast = np.log(color_of(harmonised(tinted, landmarks)) / color_of(harmonised(image, landmarks)))
    wanted = np.log(tint)
    cast, wanted = cast - cast.mean(), wanted - wanted.mean()
    assert 0.3 <= (cast @ wanted) / (wanted @ wanted) <= 1


@pytest.mark.parametrize("follow", [True, False])
def test_side_light_is_followed_where_that_is_asked_for(follow):
    image, landmarks = portrait()
    light = np.clip(np.linspace(-0.5, 1.9, 400), 0.4, 1)[None, :, None]
    layer = harmonised((image * light).astype(np.uint8), landmarks, follow)
    middle = round(float(landmarks.anchor("nose_tip")[0])) - layer.origin[0]
    grey, opaque = layer.bgr.mean(axis=2), inside(layer)
    ratio = grey[:, :middle][opaque[:, :middle]].mean() / grey[:, middle:][opaque[:, middle:]].mean()
    assert (ratio < 0.85) if follow else (ratio == pytest.approx(1, abs=0.02))


def toned(image, tint):
    """The image printed in one ink: black, then the tint, then white."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:, :, None] / 255
    return np.rint(255 * grey ** (1 / np.array(tint))).astype(np.uint8)


@pytest.mark.parametrize(
    "tint", [(0.7, 1, 1.2), (1.3, 1, 0.8), (0.9, 1.1, 0.9)], ids=["sepia", "blue", "green"]
)
@pytest.mark.parametrize("quality", [None, 60], ids=["clean", "jpeg"])
def test_a_toned_photograph_gives_a_mask_of_the_same_tone(tint, quality):
    image, landmarks = portrait()
    shown = toned(image, tint)
    if quality is not None:
        shown = cv2.imdecode(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
    b, g, r = color_of(harmonised(shown, landmarks))
    # The mask's grey level of the ink.
    ramp = toned(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2), tint)[0].astype(float)
    wanted = ramp[np.abs(ramp[:, 1] - g).argmin()]
    assert np.allclose((b, g, r), wanted, atol=8)


def test_a_photograph_of_several_colours_is_not_monochrome():
    assert FaceContext(*portrait()).light.tone is None


def test_a_grey_photograph_gives_a_grey_mask():
    image, landmarks = portrait()
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:, :, None], 3, axis=2)
    noisy = np.clip(grey + np.random.default_rng(0).normal(0, 6, grey.shape[:2])[:, :, None], 0, 255)
    for picture in (grey, noisy.astype(np.uint8)):
        bgr = harmonised(picture, landmarks).bgr.astype(int)
        assert np.abs(bgr - bgr[:, :, :1]).max() <= 1


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0, 3.0, 4.0])
def test_the_masks_edge_is_as_soft_as_the_faces(sigma):
    image, landmarks = portrait()
    soft = cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image
    alpha = harmonised(soft, landmarks).alpha.astype(float)
    steepest = np.abs(np.diff(alpha, axis=0)).max(axis=0)
    # The template's own edge is 5 template pixels soft, which is less than one here.
    expected = 255 / np.sqrt(2 * np.pi * ((0.95 * sigma) ** 2 + 0.9**2))
    assert np.median(steepest[steepest > 5]) == pytest.approx(expected, rel=0.4)


@pytest.mark.parametrize("sigma", [0.0, 3.0, 8.0, 15.0])
def test_the_mask_is_as_grainy_as_the_face(sigma):
    image, landmarks = portrait()
    grainy = np.clip(image + np.random.default_rng(1).normal(0, sigma, image.shape), 0, 255).astype(np.uint8)
    layer = harmonised(grainy, landmarks)
    patch = layer.bgr[60:120, 60:180].astype(np.float32)
    assert noise_level(patch[:, :, 1]) == pytest.approx(sigma, abs=0.6 + 0.25 * sigma)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0, 4.0])
def test_edge_blur_measures_the_blur_of_a_step(sigma):
    step = np.zeros((120, 120), np.uint8)
    step[:, 60:] = 150
    assert edge_blur(cv2.GaussianBlur(step, (0, 0), sigma), 0.0) == pytest.approx(sigma, rel=0.45)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 12.0])
def test_noise_level_measures_noise_and_not_edges(sigma):
    plane = np.zeros((160, 160), np.float32)
    plane[:, 80:] = 120
    plane += np.random.default_rng(0).normal(0, sigma, plane.shape).astype(np.float32)
    assert noise_level(plane) == pytest.approx(sigma, rel=0.12)


def test_a_face_of_few_pixels_is_measured_as_sharp_and_clean():
    image, _ = portrait()
    texture = measure_texture(image, mean_face(eye_distance=3.0))
    assert texture.grain == 0 and texture.blur < 1


def test_the_contact_shadow_lies_on_the_face_beside_the_mask_and_nowhere_else():
    image, landmarks = portrait()
    layer = harmonised(image, landmarks)
    shadow = np.zeros((400, 400), np.uint8)
    shadow[layer.window] = layer.shadow
    face = np.zeros((400, 400), np.uint8)
    cv2.fillPoly(face, [landmarks.oval.astype(np.int32)], 255)
    assert shadow.max() > 10
    assert shadow[cv2.dilate(face, np.ones((15, 15), np.uint8)) == 0].max() == 0


def test_harmonising_is_a_pure_function():
    image, landmarks = portrait()
    before = image.copy()
    a, b = harmonised(image, landmarks), harmonised(image, landmarks)
    assert np.array_equal(a.bgr, b.bgr) and np.array_equal(a.alpha, b.alpha)
    assert np.array_equal(image, before)
