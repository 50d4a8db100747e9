"""A point of the image is where the view's matrix says, and comes back to where it was."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.landmarks.crops import CLOSE, Crop, close_up, square, tiles, whole


def dotted(width, height, x, y, radius=6):
    image = np.zeros((height, width, 3), np.uint8)
    cv2.circle(image, (x, y), radius, (255, 255, 255), -1, cv2.LINE_AA)
    return image


def middle_of_light(image):
    weights = image[:, :, 0].astype(float)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


def back(view, point):
    return view.to_image(np.array([[*point, 8.0 * view.scale]]))[0]


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (256, 256), (3000, 2001), (1025, 40)])
@pytest.mark.parametrize("margin", [0.0, 0.15, 0.5])
@pytest.mark.parametrize("border", [cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT])
def test_the_whole_picture_on_a_square(size, margin, border):
    x, y = size[0] // 3, size[1] // 2
    view = square(whole(dotted(*size, x, y, radius=15)), margin, border)
    assert view.image.shape[0] == view.image.shape[1]
    assert back(view, middle_of_light(view.image)) == pytest.approx((x, y, 8), abs=0.5)


@given(
    degrees=st.floats(-180, 180),
    side=st.floats(60, 3000),
    dx=st.floats(-0.25, 0.25),
    dy=st.floats(-0.25, 0.25),
)
@settings(deadline=None, max_examples=60)
def test_a_close_up_shows_what_it_says(degrees, side, dx, dy):
    x, y = 900, 700
    image = dotted(1800, 1300, x, y, radius=max(3, round(side / 40)))
    view = close_up(image, np.array([x + dx * side, y + dy * side]), side, degrees, cv2.BORDER_CONSTANT)
    assert view.image.shape == (CLOSE, CLOSE, 3)
    assert back(view, middle_of_light(view.image))[:2] == pytest.approx((x, y), abs=0.02 * side)


def test_a_close_up_turns_a_rolled_face_upright():
    # Rolled by 90 degrees clockwise, what was above lies to the right.
    view = close_up(dotted(400, 400, 260, 200), np.array([200.0, 200.0]), 200.0, 90.0)
    assert middle_of_light(view.image) == pytest.approx(
        ((CLOSE - 1) / 2, (CLOSE - 1) / 2 - 60 * CLOSE / 200), abs=1
    )


@pytest.mark.parametrize("center", [(-500.0, 10.0), (10.0, 900.0), (0.0, 0.0)])
@pytest.mark.parametrize("side", [20.0, 5000.0])
def test_a_close_up_beside_the_picture_is_only_border(center, side):
    view = close_up(np.full((3, 3, 3), 7, np.uint8), np.array(center), side)
    assert (view.image == 7).all()


@pytest.mark.parametrize("size", [(1024, 768), (500, 100), (100, 100), (241, 777)])
def test_tiles_cover_the_picture_and_keep_their_places(size):
    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    seen = np.zeros(image.shape[:2], bool)
    for tile in tiles(image, 240):
        left, top = (round(value) for value in -tile.matrix[:, 2])
        height, width = tile.image.shape[:2]
        assert max(height, width) <= 240
        assert (image[top : top + height, left : left + width] == tile.image).all()
        seen[top : top + height, left : left + width] = True
    assert seen.all()


@given(scale=st.floats(0.1, 5), x=st.floats(-100, 100), y=st.floats(-100, 100))
def test_boxes_come_back(scale, x, y):
    view = Crop(np.zeros((4, 4, 3), np.uint8), np.array([[scale, 0, x], [0, scale, y]]))
    assert view.box_to_image((x, y, 10 * scale, 20 * scale)) == pytest.approx((0, 0, 10, 20), abs=1e-6)
