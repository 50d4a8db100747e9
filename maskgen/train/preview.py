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
    count = min(ROWS, len(feed))
    places = np.linspace(0, len(feed) - 1, count).astype(int)
    columns = [feed.images(places)]
    columns += [feed.images(places, draw(len(feed), seed, epoch), how) for epoch in range(COLUMNS - 1)]
    side = columns[0].shape[1] + GAP
    sheet = np.full((count * side + GAP, COLUMNS * side + GAP, 3), 255, np.uint8)
    for column, batch in enumerate(columns):
        for row, image in enumerate(batch):
            y, x = GAP + row * side, GAP + column * side
            sheet[y : y + side - GAP, x : x + side - GAP] = image
    buffer = BytesIO()
    PillowImage.fromarray(sheet).save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())
