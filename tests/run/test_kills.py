"""A handful of random kills; ``python tests/kills.py 50`` or ``MASKGEN_KILLS=50`` makes it fifty."""

import os

from kills import kill

KILLS = int(os.environ.get("MASKGEN_KILLS", "3"))


def test_whatever_is_killed_the_next_run_comes_to_the_bytes_of_an_undisturbed_one(tmp_path):
    assert kill(KILLS, tmp_path) == KILLS
