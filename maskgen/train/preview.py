"""A grid of what the model is shown: each image as it is, and beside it as several epochs have it."""

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
    """Write the grid as PNG: the first column as it is, each other one with the draws of an epoch."""
    count = min(ROWS, len(feed))
    places = np.linspace(0, len(feed) - 1, count).astype(int)
    columns = [feed.pictures(places)]
    for epoch in range(COLUMNS - 1):
        columns.append(feed.pictures(places, draw(len(feed), seed, epoch), how))
    side = columns[0].shape[1] + GAP
    sheet = np.full((count * side + GAP, COLUMNS * side + GAP, 3), 255, np.uint8)
    for column, batch in enumerate(columns):
        for row, image in enumerate(batch):
            y, x = GAP + row * side, GAP + column * side
            sheet[y : y + side - GAP, x : x + side - GAP] = image
    buffer = BytesIO()
    PillowImage.fromarray(sheet).save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())
