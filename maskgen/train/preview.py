"""A grid of training images: each original with its augmented versions beside it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from maskgen.files.atomic import write_atomic
from maskgen.train.data.augment import Augmentation, draw
from maskgen.train.data.feed import Feed

ROWS, COLUMNS, GAP = 6, 8, 4


def write_preview(path: Path, feed: Feed, seed: int, how: Augmentation) -> None:
    """Write the grid as PNG: originals in the first column, one epoch's augmentation in each other one."""
    places = np.linspace(0, len(feed) - 1, min(ROWS, len(feed))).astype(int)
    columns = [feed.images(places)]
    columns += [feed.images(places, draw(len(feed), seed, epoch), how) for epoch in range(COLUMNS - 1)]
    # (rows, columns, height, width, 3): a gap above and left of each image, and around the sheet.
    tiles = np.pad(np.stack(columns, 1), ((0, 0), (0, 0), (GAP, 0), (GAP, 0), (0, 0)), constant_values=255)
    sheet = np.vstack([np.hstack(list(row)) for row in tiles])
    sheet = np.pad(sheet, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)
    buffer = BytesIO()
    PillowImage.fromarray(sheet).save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())
