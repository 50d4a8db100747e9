"""Weaves: seamless light and dark around 0 that vanishes where pixels are too large for it."""

import numpy as np
import pytest

from maskgen.errors import UsageError
from maskgen.masking.materials.weave import TILE_SIDE, WEAVES, weave

kinds = pytest.mark.parametrize("kind", sorted(WEAVES))


@kinds
@pytest.mark.parametrize("pixels_per_cm", [2, 8, 40])
def test_a_weave_is_a_seamless_tile_around_0(kind, pixels_per_cm):
    tile = weave(kind, pixels_per_cm, 3)
    assert tile.shape == (TILE_SIDE, TILE_SIDE) and tile.dtype == np.float32
    assert abs(float(tile.mean())) < 1e-4 and np.abs(tile).max() < 0.5
    for axis in (0, 1):
        steps = np.abs(np.diff(tile, axis=axis, append=np.take(tile, [0], axis=axis))).mean(axis=1 - axis)
        assert steps[-1] <= steps[:-1].max() * 1.15 + 1e-4


@kinds
def test_a_weave_shows_from_near_and_not_from_afar(kind):
    far, near = (weave(kind, pixels_per_cm, 1).std() for pixels_per_cm in (1.5, 40))
    assert far < 0.006 and far < 0.6 * near
    assert 0.005 < near < 0.08


@kinds
def test_a_weave_is_shared_by_like_resolutions_and_differs_by_seed(kind):
    assert weave(kind, 20.0, 4) is weave(kind, 20.3, 4)
    assert weave(kind, 100, 4).shape == (2 * TILE_SIDE, 2 * TILE_SIDE)
    assert len({weave(kind, 20, seed).tobytes() for seed in range(16)}) > 2
    with pytest.raises(ValueError, match="read-only"):
        weave(kind, 20, 4)[0, 0] = 1


def test_an_unknown_weave_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"weave must be one of .*cotton.*got 'silk'"):
        weave("silk", 8, 0)
