"""Marks: signs on transparent ground, of a size that fits a mask, in inks that show on its cloth."""

import numpy as np
import pytest

from maskgen.errors import UsageError
from maskgen.masking.materials.marks import MARKS, draw_mark

marks = pytest.mark.parametrize("kind", sorted(MARKS))
DARK, LIGHT = (38, 38, 40), (226, 228, 230)


def luma(bgr):
    return bgr @ np.array([0.114, 0.587, 0.299])


@marks
@pytest.mark.parametrize("pixels_per_cm", [2, 8, 30])
def test_a_mark_fits_the_front_of_a_mask(kind, pixels_per_cm):
    for seed in range(5):
        mark = draw_mark(kind, seed, pixels_per_cm)
        height, width = mark.bgra.shape[:2]
        assert mark.bgra.dtype == np.uint8 and mark.bgra.shape[2] == 4
        assert abs(width - mark.size_cm[0] * pixels_per_cm) <= 1
        assert abs(height - mark.size_cm[1] * pixels_per_cm) <= 1
        assert mark.size_cm[0] <= 13.5 and mark.size_cm[1] <= 9
        assert abs(mark.center_cm[0]) <= 4.5 and -1 <= mark.center_cm[1] <= 3


@marks
def test_a_mark_is_transparent_where_it_is_not_drawn(kind):
    alpha = draw_mark(kind, 4, 12).bgra[:, :, 3]
    assert alpha.max() > 120
    assert 0.02 < (alpha > 60).mean() < (1.01 if kind == "flag" else 0.8)


@marks
def test_a_mark_is_the_same_for_the_same_seed_and_another_for_others(kind):
    drawn = [draw_mark(kind, seed, 8).bgra.tobytes() for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


@marks
@pytest.mark.parametrize("cloth", [DARK, LIGHT])
def test_a_mark_shows_on_its_cloth(kind, cloth):
    for seed in range(6):
        bgra = draw_mark(kind, seed, 12, cloth).bgra.astype(float)
        inked = bgra[bgra[:, :, 3] > 100]
        contrast = np.abs(luma(inked[:, :3]) - luma(np.array(cloth, float)))
        assert np.percentile(contrast, 90) > 45


@marks
def test_edges_are_smooth_and_without_a_fringe(kind):
    bgra = draw_mark(kind, 2, 10, DARK).bgra
    edge = (bgra[:, :, 3] > 20) & (bgra[:, :, 3] < 200)
    # A mean of a mark's inks is never darker than the darkest of them.
    full = bgra[bgra[:, :, 3] >= bgra[:, :, 3].max() - 4][:, :3].astype(float)
    assert luma(bgra[edge][:, :3].astype(float)).min(initial=255) >= luma(full).min() - 12


def test_an_unknown_mark_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"mark must be one of .*logo.*got 'tattoo'"):
        draw_mark("tattoo", 0, 8)
