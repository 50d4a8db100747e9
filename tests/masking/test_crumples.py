"""Crumples: a tile that repeats itself without a seam, flat between its creases."""

import numpy as np
import pytest

from maskgen.masking.garment.crumples import crumple_tile


@pytest.mark.parametrize("side", [128, 256])
def test_the_tile_has_the_height_and_the_course_of_its_repeats(side):
    tile = crumple_tile(side)
    assert tile.shape == (side, side, 2) and tile.dtype == np.float32
    assert tile[:, :, 0].std() == pytest.approx(1, abs=0.05)
    assert np.abs(tile[:, :, 1]).max() < 0.06  # eye distances


@pytest.mark.parametrize("axis", [0, 1])
def test_the_tile_repeats_itself_without_a_seam(axis):
    height = crumple_tile(256)[:, :, 0]
    inside = np.abs(np.diff(height, axis=axis))
    across_seam = np.abs(np.take(height, 0, axis) - np.take(height, -1, axis))
    assert across_seam.max() < 1.5 * inside.max()
    assert across_seam.mean() < 2 * inside.mean()


def test_cloth_is_flat_between_sharp_creases():
    height = crumple_tile(256)[:, :, 0]
    bend = np.abs(np.diff(height, n=2, axis=0))
    # Of a sum of smooth waves, the sharpest hundredth bends about 4 times as much as the median.
    assert np.percentile(bend, 99) > 8 * np.median(bend)
