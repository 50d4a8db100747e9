"""Which part of an image the model is shown: the same rule in training and in prediction."""

from __future__ import annotations

from maskgen.errors import UsageError
from maskgen.records import Box
from maskgen.train.data.examples import Region

CROPS = ("full", "face", "upper-face")

# The share of the face's box, from its top, that a mask worn correctly leaves free: down to the bridge of the
# nose. The box is that of the face mesh, from the hairline to the chin.
UPPER_SHARE = 0.5


def region_of(crop: str, size: tuple[int, int], box: Box | None, margin: float) -> Region:
    """The part of an image the model is shown.

    "full" is the whole image. "face" is a square around the face's box, pushed inside the image where it
    would leave it, so that no border is ever made up. "upper-face" is that square's part above the bridge
    of the nose.

    Args:
        crop: One of `CROPS`.
        size: (width, height) of the image.
        box: The face; needed unless `crop` is "full".
        margin: What is added on each side, in sides of the box.

    Returns:
        x, y, width, height in whole pixels, inside the image.
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


def _pushed_inside(start: float, side: int, length: int) -> int:
    return max(0, min(round(start), length - side))
