"""Grids of images: where each one stands, and what is between and behind them."""

import numpy as np

from maskgen.images.grid import grid


def test_images_stand_row_by_row_with_paper_between_and_around_them():
    tiles = [np.full((2, 3, 3), number, np.uint8) for number in (1, 2, 3)]
    sheet = grid(tiles, columns=2, gap=1, paper=(7, 8, 9))
    assert sheet[..., 0].tolist() == [
        [7, 7, 7, 7, 7, 7, 7, 7, 7],
        [7, 1, 1, 1, 7, 2, 2, 2, 7],
        [7, 1, 1, 1, 7, 2, 2, 2, 7],
        [7, 7, 7, 7, 7, 7, 7, 7, 7],
        [7, 3, 3, 3, 7, 7, 7, 7, 7],
        [7, 3, 3, 3, 7, 7, 7, 7, 7],
        [7, 7, 7, 7, 7, 7, 7, 7, 7],
    ]
    assert sheet[0, 0].tolist() == [7, 8, 9]
