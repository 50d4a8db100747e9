"""What the model is shown of a picture: the same rule, and the same pixels, in training and in prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from maskgen.errors import UsageError
from maskgen.records import Box
from maskgen.train.examples import Region

CROPS = ("full", "face", "upper-face")

# The share of the face's box, from its top, that a mask worn correctly leaves free: down to the bridge of the
# nose. The box is that of the face mesh, from the hairline to the chin.
UPPER_SHARE = 0.5


def region_of(crop: str, size: tuple[int, int], box: Box | None, margin: float) -> Region:
    """The part of a picture the model is shown.

    "full" is the whole picture. "face" is a square around the face's box, pushed inside the picture where it
    would leave it, so that no border is ever made up. "upper-face" is that square's part above the bridge
    of the nose.

    Args:
        crop: One of `CROPS`.
        size: (width, height) of the picture.
        box: The face; needed unless `crop` is "full".
        margin: What is added on each side, in sides of the box.

    Returns:
        x, y, width, height in whole pixels, inside the picture.
    """
    width, height = size
    if crop == "full":
        return 0, 0, width, height
    if box is None:
        raise UsageError(f"--crop {crop} needs the face's box")
    side = min(round(max(box[2:]) * (1 + 2 * margin)), width, height)
    x = _pushed_inside(box[0] + box[2] / 2 - side / 2, side, width)
    y = _pushed_inside(box[1] + box[3] / 2 - side / 2, side, height)
    if crop == "face":
        return x, y, side, side
    bottom = round(box[1] + box[3] * UPPER_SHARE)
    return x, y, side, min(max(bottom - y, 1), side)


def resized(rgb: NDArray[np.uint8], region: Region, size: int) -> NDArray[np.uint8]:
    """Cut the region out and bring it to the model's size, as the training's input pipeline does.

    Both filter with a triangle as wide as the reduction, and round at the end. Pillow rounds between its two
    passes when it is given bytes, so each channel goes through as floats.

    Args:
        rgb: (height, width, 3) uint8, RGB.
        region: x, y, width, height, inside the picture.
        size: Side of the result.

    Returns:
        (size, size, 3) uint8, RGB.
    """
    x, y, width, height = region
    cut = rgb[y : y + height, x : x + width]
    if cut.shape[:2] == (size, size):
        return np.ascontiguousarray(cut)
    planes = (PillowImage.fromarray(cut[:, :, channel].astype(np.float32)) for channel in range(3))
    scaled = [np.asarray(plane.resize((size, size), PillowImage.Resampling.BILINEAR)) for plane in planes]
    return np.asarray(np.rint(np.dstack(scaled)).clip(0, 255), dtype=np.uint8)


def _pushed_inside(start: float, side: int, length: int) -> int:
    return max(0, min(round(start), length - side))
