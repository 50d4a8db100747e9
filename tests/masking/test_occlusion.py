"""What the mask goes behind, and above all what it does not."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import (
    HAIR,
    SKIN,
    ball,
    bar,
    beard,
    cast_shadow,
    coloured_light,
    hair_around,
    hard_shadow,
    lipstick,
    lock_of_hair,
    microphone,
    narrow_shadow,
    nothing,
    open_mouth,
    painted_chin,
    photograph,
    point,
    rounded_shading,
    scarf,
    side_light,
    sleeve,
    taken,
    white_beard,
)
from synthetic_faces import mean_face

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.context import FaceContext
from maskgen.masking.layer.occlusion import occluders
from maskgen.records import Layer


def layer_over(face):
    """An opaque layer over the lower face, a little beyond its outline, cut to the image."""
    width, height = face.image_size
    alpha = np.zeros((height, width), np.uint8)
    middle = face.points[6, :2]
    lower = [p for p in face.points[:, :2] if p[1] > middle[1]]
    hull = cv2.convexHull(np.round(lower).astype(np.int32))
    cv2.fillConvexPoly(alpha, hull, 255)
    alpha = cv2.dilate(alpha, np.ones((5, 5), np.uint8))
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    alpha = alpha[window]
    return Layer(np.zeros((*alpha.shape, 3), np.uint8), alpha, (int(columns[0]), int(rows[0])))


def in_image(face, layer, matte):
    whole = np.zeros(face.image_size[::-1], np.uint8)
    whole[layer.window] = matte
    return whole


@pytest.mark.parametrize(
    ("drawn", "inside", "free"),
    [
        (lock_of_hair, (454, 323), (4, 13, 152, 234, 50, 280)),
        (microphone, (378, 369), (4, 234, 454, 50, 280)),
        (bar, (199, 175), (4, 13, 234, 454, 50, 280)),
        (ball, (378, 400), (4, 13, 234, 454, 50, 280)),
        (sleeve, (397, 365), (4, 13, 152, 234, 50, 280)),
    ],
)
def test_the_mask_goes_behind(drawn, inside, free):
    face = mean_face()
    image = photograph(face)
    drawn(image, face)
    layer = layer_over(face)
    matte = in_image(face, layer, occluders(FaceContext(taken(image), face), layer))
    shown = {index: matte[point(face, index)[::-1]] for index in (*inside, *free)}
    assert [index for index in inside if shown[index] < 200] == []
    assert [index for index in free if shown[index] > 20] == []


@pytest.mark.parametrize("skin", SKIN)
@pytest.mark.parametrize(
    "drawn",
    [
        *(nothing, hair_around, beard, white_beard, side_light, hard_shadow, narrow_shadow, cast_shadow),
        *(rounded_shading, lipstick, open_mouth, painted_chin, coloured_light, scarf),
    ],
)
def test_the_mask_stays_whole(drawn, skin):
    face = mean_face()
    image = photograph(face, skin)
    drawn(image, face)
    layer = layer_over(face)
    assert not occluders(FaceContext(taken(image), face), layer).any()


@pytest.mark.parametrize(("yaw", "found"), [(-16, True), (0, True), (16, False), (-30, False)])
def test_on_the_far_side_of_a_turned_face_hair_may_be_background(yaw, found):
    face = mean_face(yaw=yaw)
    image = photograph(face)
    lock_of_hair(image, face)
    layer = layer_over(face)
    assert occluders(FaceContext(taken(image), face), layer).any() == found


def test_hair_over_a_beard_is_left_since_they_cannot_be_told_apart():
    face = mean_face()
    image = photograph(face)
    beard(image, face)
    lock_of_hair(image, face)
    layer = layer_over(face)
    assert not occluders(FaceContext(taken(image), face), layer).any()


def test_in_a_grey_photograph_hair_and_shadow_cannot_be_told_apart():
    face = mean_face()
    image = photograph(face)
    lock_of_hair(image, face)
    grey = cv2.cvtColor(cv2.cvtColor(taken(image), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    layer = layer_over(face)
    assert not occluders(FaceContext(grey, face), layer).any()


@pytest.mark.parametrize(("size", "eyes"), [((400, 400), 100.0), ((200, 200), 50.0), ((1200, 1200), 300.0)])
def test_the_edge_is_soft_and_follows_what_is_drawn_at_any_size(size, eyes):
    face = mean_face(size=size, eye_distance=eyes, center=(size[0] / 2, size[1] * 0.4))
    image = photograph(face)
    plain = image.copy()
    lock_of_hair(image, face)
    layer = layer_over(face)
    found = occluders(FaceContext(taken(image), face), layer)
    drawn = (image != plain).any(axis=2)[layer.window] & (layer.alpha > 0)
    wrong = (found > 127) != drawn
    assert wrong.sum() < 0.2 * drawn.sum()
    assert 0 < np.count_nonzero((found > 10) & (found < 245)) < 0.5 * np.count_nonzero(found)
    assert cv2.connectedComponents((found > 127).astype(np.uint8))[0] == 2, "one piece, no speckles"


def test_no_end_of_an_ear_loop_stays_behind_the_hair():
    face = mean_face()
    image = photograph(face)
    lock_of_hair(image, face)
    layer = layer_over(face)
    wider = np.zeros((layer.alpha.shape[0], layer.alpha.shape[1] + 60), np.uint8)
    wider[:, : layer.alpha.shape[1]] = layer.alpha
    wider[60:64, layer.alpha.shape[1] - 20 :] = 255
    layer = Layer(np.zeros((*wider.shape, 3), np.uint8), wider, layer.origin)
    left = (layer.alpha > 127) & (occluders(FaceContext(taken(image), face), layer) < 128)
    _, _, stats, _ = cv2.connectedComponentsWithStats(left.astype(np.uint8))
    assert (stats[2:, cv2.CC_STAT_AREA] < 12).all()


def test_the_same_bytes_every_time_and_the_arguments_untouched():
    face = mean_face()
    image = photograph(face)
    lock_of_hair(image, face)
    image = taken(image)
    layer = layer_over(face)
    before = image.copy(), layer.alpha.copy(), face.points.copy()
    first = occluders(FaceContext(image, face), layer)
    assert first.any()
    assert first.shape == layer.alpha.shape and first.dtype == np.uint8
    assert np.array_equal(first, occluders(FaceContext(image, face), layer))
    for was, now in zip(before, (image, layer.alpha, face.points), strict=True):
        assert np.array_equal(was, now)


def test_an_empty_layer_and_a_face_too_small_are_left():
    face = mean_face()
    image = photograph(face)
    lock_of_hair(image, face)
    empty = Layer(np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), np.uint8), (150, 150))
    assert not occluders(FaceContext(taken(image), face), empty).any()
    tiny = mean_face(size=(80, 80), eye_distance=20.0, center=(40, 32))
    image = photograph(tiny)
    lock_of_hair(image, tiny)
    assert not occluders(FaceContext(taken(image), tiny), layer_over(tiny)).any()


@pytest.mark.parametrize("center", [(10, 160), (390, 160), (200, 380), (200, -60), (395, 395)])
@pytest.mark.parametrize("yaw", [-60, -20, 0, 20, 60])
def test_a_face_partly_outside_the_image(center, yaw):
    face = mean_face(center=center, yaw=yaw)
    image = photograph(face, background=HAIR)
    layer = layer_over(face)
    found = occluders(FaceContext(taken(image), face), layer)
    assert found.shape == layer.alpha.shape
    assert not found.any()


def test_on_real_faces_little_is_ever_hidden():
    """At most some percent of photographs have something before the mouth, and none all of it."""
    folder = os.environ.get("MASKGEN_FACES")
    if not folder:
        pytest.skip("set MASKGEN_FACES to a folder of faces")
    landmarker = pytest.importorskip("maskgen.landmarks")
    paths = sorted(Path(folder, "lfw").rglob("*.jpg"))[:40]
    assert paths
    shares = []
    finder = landmarker.open_landmarker(landmarker.LandmarkerSpec())
    for path in paths:
        image = cv2.imread(str(path))
        faces = finder.find(image)
        if faces:
            assert isinstance(faces[0], Landmarks)
            layer = layer_over(faces[0])
            shares.append(float((occluders(FaceContext(image, faces[0]), layer) > 127).mean()))
    finder.close()
    assert max(shares) < 0.25
    assert np.mean(np.array(shares) > 0) < 0.15
