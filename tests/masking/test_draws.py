from collections import Counter

import pytest

from maskgen.masking.hash_random import draw_bits, draw_unit, draw_weighted


def test_a_draw_is_the_same_for_the_same_names_and_another_for_others():
    assert draw_bits(0, "a", 1) == draw_bits(0, "a", 1)
    assert (
        len({draw_bits(*key) for key in [(0, "a", 1), (1, "a", 1), (0, "a", 2), (0, "b", 1), (0, "a1")]}) == 5
    )


def test_a_draw_never_changes_between_versions():
    assert draw_bits(7, "some/face.jpg", 0, "wear") == 4325442628008437011


def test_units_fill_the_interval_evenly():
    values = [draw_unit(0, str(i)) for i in range(4000)]
    assert min(values) >= 0 and max(values) < 1
    counts = Counter(int(v * 10) for v in values)
    assert all(320 < counts[k] < 480 for k in range(10))


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (0, 5), (5, 0)])
def test_weights_are_kept(weights):
    choices = [("a", float(weights[0])), ("b", float(weights[1]))]
    share = sum(draw_weighted(choices, 0, str(i)) == "a" for i in range(3000)) / 3000
    assert share == pytest.approx(weights[0] / sum(weights), abs=0.03)
