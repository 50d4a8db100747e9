"""A template's pyramid: each level the mean of the one before, colour weighted by alpha."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_faces import plain_template, worn

from maskgen.masking.templates.pyramid import planned_levels, premultiplied_levels, template_levels

small_pictures = st.tuples(st.integers(24, 130), st.integers(24, 130)).flatmap(
    lambda size: arrays(np.uint8, (*size, 4), elements=st.integers(0, 255), fill=st.integers(0, 255))
)


@settings(max_examples=25, deadline=None)
@given(small_pictures)
def test_levels_halve_and_stay_premultiplied(bgra: np.ndarray) -> None:
    levels = premultiplied_levels(bgra)
    for larger, smaller in pairwise(levels):
        assert smaller.shape[:2] == tuple((size + 1) // 2 for size in larger.shape[:2])
    for level in levels:
        # Rounding of the mean may put a colour one grey level above its alpha.
        assert (level[:, :, :3].astype(int) <= level[:, :, 3:].astype(int) + 1).all()
    assert min(levels[-1].shape[:2]) < 48


def test_transparent_colour_never_reaches_a_smaller_level() -> None:
    bgra = np.zeros((256, 256, 4), np.uint8)
    bgra[:, :, 2] = 255  # red, but transparent
    bgra[64:192, 64:192] = (200, 0, 0, 255)
    for level in premultiplied_levels(bgra):
        assert level[:, :, 2].max() == 0


def test_the_levels_of_a_template_are_made_once() -> None:
    template = plain_template()
    assert template_levels(template) is template_levels(template)


def test_the_largest_level_is_not_kept_but_the_same_each_time() -> None:
    template = plain_template()
    levels, expected = template_levels(template), premultiplied_levels(template.bgra)
    assert len(levels) == len(expected)
    assert all(np.array_equal(one, other) for one, other in zip(levels, expected, strict=True))
    assert levels[1] is levels[1]
    assert levels[0] is not levels[0]


@pytest.mark.parametrize(
    ("chosen", "plain"), [({}, True), ({"color": "#204080"}, False), ({"pattern": "dots"}, False)]
)
def test_a_plan_that_dyes_or_prints_has_levels_of_its_own(chosen, plain):
    template = plain_template()
    levels, undyed = planned_levels(template, replace(worn(), **chosen)), template_levels(template)
    assert (levels is undyed) == plain
    assert np.array_equal(levels[1], undyed[1]) == plain
    assert np.array_equal(levels[1][:, :, 3], undyed[1][:, :, 3])
