"""Eyeglasses rest on the mask's upper edge; a face without any is masked as before."""

import cv2
import numpy as np
import pytest
from drawn_faces import (
    SKIN,
    beard,
    coloured_light,
    fill,
    hair_around,
    hard_shadow,
    lock_of_hair,
    nothing,
    photograph,
    point,
    side_light,
    taken,
)
from synthetic_faces import mean_face, plain_template

from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.eyeglasses import find_eyeglasses
from maskgen.masking.layer.occlusion import occluders
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.options import SynthOptions
from maskgen.records import Layer

EYES = ((33, 133), (362, 263))
SIZES = [((200, 200), 50.0), ((400, 400), 100.0), ((1200, 1200), 300.0)]


def face_of(size, eyes, **turned):
    return mean_face(size=size, eye_distance=eyes, center=(size[0] / 2, size[1] * 0.4), **turned)


def lens(face, corners):
    """Middle and half axes of a round lens in whole pixels, and the face's tilt in degrees."""
    middle = face.points[list(corners), :2].mean(axis=0) + np.array([0, 0.06 * face.eye_distance])
    axes = round(0.27 * face.eye_distance), round(0.23 * face.eye_distance)
    return tuple(int(value) for value in np.round(middle)), axes, face.pose["roll"]


def eyes_open(image, face):
    """Dark irises between lids with lashes."""
    for corners in EYES:
        middle, _, tilt = lens(face, corners)
        middle = middle[0], round(middle[1] - 0.06 * face.eye_distance)
        size = round(0.15 * face.eye_distance), round(0.06 * face.eye_distance)
        cv2.ellipse(image, middle, size, tilt, 0, 360, (210, 215, 220), -1)
        cv2.circle(image, middle, size[1], (40, 45, 60), -1)
        cv2.ellipse(image, middle, size, tilt, 0, 360, (30, 30, 40), max(1, round(0.012 * face.eye_distance)))


def rims(image, face, color=(35, 30, 30), width=0.025):
    for corners in EYES:
        middle, axes, tilt = lens(face, corners)
        cv2.ellipse(
            image, middle, axes, tilt, 0, 360, color, max(1, round(width * face.eye_distance)), cv2.LINE_AA
        )
    cv2.line(image, point(face, 6, -0.1), point(face, 6, 0.1), color, 2)


def thick_frames(image, face):
    rims(image, face, (20, 20, 20), 0.05)


def brown_frames(image, face):
    rims(image, face, (30, 45, 80), 0.035)


def dark_lenses(image, face):
    for corners in EYES:
        middle, axes, tilt = lens(face, corners)
        cv2.ellipse(image, middle, axes, tilt, 0, 360, (45, 45, 50), -1)
    rims(image, face, (12, 12, 12), 0.03)


def bags_under_the_eyes(image, face):
    """Soft dark folds at the lids, one below the other."""
    for fold in (0.08, 0.15):
        for corners in EYES:
            middle, axes, tilt = lens(face, corners)
            size = round(axes[0] * 0.6), round(fold * face.eye_distance)
            shade = image.copy()
            cv2.ellipse(shade, middle, size, tilt, 10, 170, (90, 105, 140), 3)
            image[:] = cv2.addWeighted(image, 0.6, cv2.GaussianBlur(shade, (0, 0), 2), 0.4, 0)


def dark_sockets(image, face):
    for corners in EYES:
        middle, axes, _ = lens(face, corners)
        shade = np.ones(image.shape[:2], np.float32)
        cv2.circle(shade, middle, axes[1], 0.5, -1)
        shade = cv2.GaussianBlur(shade, (0, 0), 0.08 * face.eye_distance)
        image[:] = (image * shade[:, :, None]).astype(np.uint8)


def mascara(image, face):
    for corners in EYES:
        middle, axes, tilt = lens(face, corners)
        middle = middle[0], round(middle[1] - 0.06 * face.eye_distance)
        cv2.ellipse(
            image, middle, (round(axes[0] * 0.7), round(axes[1] * 0.4)), tilt, 0, 360, (20, 20, 25), 5
        )


def cheek_line(image, face):
    """A scar under one eye."""
    middle, axes, tilt = lens(face, EYES[0])
    cv2.ellipse(image, middle, axes, tilt, 10, 170, (60, 60, 90), 3)


def moustache(image, face):
    fill(image, face, (98, 327, 410, 186, 0), (30, 34, 42))


def portrait(face, *drawn, skin="light"):
    image = photograph(face, skin)
    eyes_open(image, face)
    for draw in drawn:
        draw(image, face)
    return taken(image)


def layer_below_the_eyes(face):
    """Opaque from just under the lids down."""
    width, height = face.image_size
    alpha = np.zeros((height, width), np.uint8)
    top = round(float(face.points[[145, 374], 1].mean() + 0.07 * face.eye_distance))
    fill(alpha, face, range(468), (255,))
    alpha[:top] = 0
    window = slice(top, height), slice(0, width)
    return Layer(np.zeros((height - top, width, 3), np.uint8), alpha[window], (0, top))


def drawn_rims(face, layer, draw):
    """Where the layer lies over what was drawn."""
    bare = photograph(face)
    eyes_open(bare, face)
    worn = bare.copy()
    draw(worn, face)
    differs = cv2.absdiff(worn, bare).max(axis=2)[layer.window]
    return (differs > 60) & (layer.alpha > 0)


@pytest.mark.parametrize(("size", "eyes"), SIZES)
@pytest.mark.parametrize("draw", [rims, thick_frames, brown_frames, dark_lenses])
def test_eyeglasses_show_before_the_mask(size, eyes, draw):
    face = face_of(size, eyes)
    layer = layer_below_the_eyes(face)
    shown = occluders(FaceContext(portrait(face, draw), face), layer) > 127
    wanted = drawn_rims(face, layer, draw)
    near = cv2.dilate(wanted.astype(np.uint8), np.ones((2 * round(0.03 * eyes) + 1,) * 2)) > 0
    assert (shown & wanted).sum() > 0.5 * wanted.sum()
    assert not (shown & ~near).any()


@pytest.mark.parametrize("skin", SKIN)
@pytest.mark.parametrize(("size", "eyes"), SIZES)
@pytest.mark.parametrize(
    "drawn",
    [
        *(nothing, bags_under_the_eyes, dark_sockets, mascara, cheek_line, moustache, beard, hair_around),
        *(side_light, hard_shadow, lock_of_hair, coloured_light),
    ],
)
def test_a_face_without_eyeglasses_has_none(drawn, size, eyes, skin):
    face = face_of(size, eyes)
    assert find_eyeglasses(portrait(face, drawn, skin=skin), face) is None


@pytest.mark.parametrize(("yaw", "roll"), [(-15, 0), (15, 0), (0, -25), (0, 25)])
def test_in_a_turned_or_tilted_face(yaw, roll):
    face = face_of((400, 400), 100.0, yaw=yaw, roll=roll)
    assert find_eyeglasses(portrait(face, rims), face) is not None


def test_a_face_turned_far_or_small_is_left():
    turned, small = face_of((400, 400), 100.0, yaw=45), face_of((100, 100), 25.0)
    assert find_eyeglasses(portrait(turned, rims), turned) is None
    assert find_eyeglasses(portrait(small, rims), small) is None


@pytest.mark.parametrize("center", [(0, 160), (400, 160), (200, 400), (200, -30), (900, 900)])
def test_a_face_partly_outside_the_image(center):
    face = mean_face(center=center)
    layer = Layer(np.zeros((50, 60, 3), np.uint8), np.full((50, 60), 255, np.uint8), (10, 20))
    found = occluders(FaceContext(portrait(face, rims), face), layer)
    assert found.shape == (50, 60) and found.dtype == np.uint8


def test_the_row_counts_them_the_wear_does_not_and_off_turns_them_off():
    face = face_of((400, 400), 100.0)
    image, template = portrait(face, thick_frames), plain_template()
    rows = {}
    for occlusion in ("on", "off"):
        options = SynthOptions("folder", occlusion=occlusion, templates=(("plain", 1.0),), jitter=False)
        rows[occlusion] = mask_image(image, [face], [plan(options, "a", 0)], {"plain": template}, options)
    hidden, whole = rows["on"].faces[0], rows["off"].faces[0]
    assert 0 < hidden.occluded < 0.1
    assert whole.occluded == 0
    assert hidden.wear_agrees == whole.wear_agrees
    assert (rows["on"].alpha < rows["off"].alpha).any()
    assert (rows["on"].alpha <= rows["off"].alpha).all()


def test_the_same_bytes_every_time_and_the_arguments_untouched():
    face = face_of((400, 400), 100.0)
    image, layer = portrait(face, rims), layer_below_the_eyes(face)
    before = image.copy(), layer.alpha.copy(), face.points.copy()
    first = occluders(FaceContext(image, face), layer)
    assert np.array_equal(first, occluders(FaceContext(image, face), layer))
    for was, now in zip(before, (image, layer.alpha, face.points), strict=True):
        assert np.array_equal(was, now)
