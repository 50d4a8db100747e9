"""What is filled in between a lattice's nodes, and where these lie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskgen.masking.fits.catmull_rom import Lattice

sides = st.integers(1, 400)


@given(sides, sides, st.integers(5, 24))
def test_what_is_straight_stays_straight(columns, rows, cells):
    lattice = Lattice.over(columns, rows, cells)
    nodes = lattice.nodes()
    filled = lattice.fill((3 * nodes[:, :, 0] - 2 * nodes[:, :, 1] + 7).astype(np.float32))
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    assert filled.shape == (rows, columns)
    assert np.abs(filled - (3 * x - 2 * y + 7)).max() < 0.01


@given(sides, sides)
def test_there_is_a_node_beyond_every_side(columns, rows):
    lattice = Lattice.over(columns, rows, 12)
    nodes = lattice.nodes()
    assert (nodes[0, 0] < 0).all()
    assert nodes[-1, -1, 0] > columns - 1 and nodes[-1, -1, 1] > rows - 1


def test_what_is_smooth_is_met_closely():
    lattice = Lattice.over(150, 120, 12)
    x, y = lattice.nodes()[:, :, 0], lattice.nodes()[:, :, 1]
    filled = lattice.fill((100 * np.sin(x / 40) * np.cos(y / 50)).astype(np.float32))
    x, y = np.meshgrid(np.arange(150), np.arange(120))
    assert np.abs(filled - 100 * np.sin(x / 40) * np.cos(y / 50)).max() < 0.2
