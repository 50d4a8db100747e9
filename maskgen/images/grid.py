"""Arrange images of equal size in a grid, for contact sheets and previews."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def grid(
    tiles: Sequence[NDArray[np.uint8]], columns: int, gap: int = 0, paper: Sequence[int] = (255, 255, 255)
) -> NDArray[np.uint8]:
    """Images, (height, width, 3) uint8, row by row on paper, with ``gap`` pixels between and around them.

    Example:
        >>> grid([np.zeros((2, 3, 3), np.uint8)] * 3, columns=2, gap=1).shape
        (7, 9, 3)
    """
    height, width = tiles[0].shape[0] + gap, tiles[0].shape[1] + gap
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * height + gap, columns * width + gap, 3), paper, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = gap + place // columns * height, gap + place % columns * width
        sheet[top : top + height - gap, left : left + width - gap] = tile
    return sheet
