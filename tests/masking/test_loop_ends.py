"""Loops end where hair begins, and reach an ear that is in view."""

import cv2
import numpy as np
import pytest
from drawn_faces import HAIR, SKIN, photograph, taken
from synthetic_faces import laid, mean_face

from maskgen.masking.face.context import FaceContext
from maskgen.masking.layer.loop_ends import covered_ends

FACE = mean_face(eye_distance=200, size=(700, 700), center=(350, 250))


def hidden(layer, paint):
    """For each loop the shares of its first and its last third that are hidden, over a painted photograph."""
    image = photograph(FACE)
    paint(image, [path for path, _ in layer.loops])
    matte = covered_ends(FaceContext(taken(image), FACE).light, layer)
    shares = []
    for path, _ in layer.loops:
        places = np.rint(path - layer.origin).astype(int)
        seen = [0 if matte is None else matte[y, x] for x, y in places]
        third = len(seen) // 3
        shares.append((np.mean(seen[:third]) / 255, np.mean(seen[-third:]) / 255))
    return np.array(shares)


def skin(image, paths):
    """Skin wherever a loop goes."""
    for path in paths:
        cv2.polylines(image, [np.rint(path).astype(np.int32)], False, SKIN["light"], 61)


def hair(image, paths):
    """Hair over the last third of each loop."""
    skin(image, paths)
    for path in paths:
        end = np.rint(path[-len(path) // 3 :]).astype(np.int32)
        cv2.polylines(image, [end], False, HAIR, 31)


def whiskers(image, paths):
    """Hair over the middle of each loop, and skin behind it."""
    skin(image, paths)
    for path in paths:
        x, y = np.rint(path[len(path) // 2]).astype(int).tolist()
        cv2.circle(image, (x, y), 8, HAIR, -1)


@pytest.mark.parametrize(("paint", "ends"), [(skin, 0), (whiskers, 0), (hair, 1)])
def test_a_loop_ends_where_hair_hides_the_ear(paint, ends):
    layer = laid("mesh", "kn95_white", FACE)
    assert len(layer.loops) == 4
    shares = hidden(layer, paint)
    assert (shares[:, 0] < 0.05).all()
    assert shares[:, 1] == pytest.approx(ends, abs=0.2)


def test_hair_over_whole_loops_hides_nothing_of_the_mask():
    layer = laid("mesh", "kn95_white", FACE)
    image = photograph(FACE)
    for path, _ in layer.loops:
        cv2.polylines(image, [np.rint(path).astype(np.int32)], False, HAIR, 61)
    matte = covered_ends(FaceContext(taken(image), FACE).light, layer)
    # Loops are thinner than these 31 pixels.
    mask = cv2.morphologyEx(layer.alpha, cv2.MORPH_OPEN, np.ones((31, 31), np.uint8)) == 255
    assert matte.any() and matte[mask].max() == 0


def test_straps_around_the_head_lie_over_hair():
    layer = laid("mesh", "n95_white", FACE)
    assert layer.loops == ()
    light = FaceContext(photograph(FACE), FACE).light
    assert covered_ends(light, layer) is None
