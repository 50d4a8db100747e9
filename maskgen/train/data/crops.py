"""The crop of an image that a model sees: one rule for training and prediction."""

from __future__ import annotations

from maskgen.errors import UsageError
from maskgen.records import Box
from maskgen.train.data.examples import Region

CROPS = ("full", "face", "upper-face")

# Share of the face box above the bridge of the nose: a mask worn correctly does not cover it. The box is the
# box of the face mesh, from the hairline to the chin.
UPPER_SHARE = 0.5


def region_of(crop: str, size: tuple[int, int], box: Box | None, margin: float) -> Region:
    """The region of an image that a model sees: x, y, width, height in whole pixels, inside the image.

    Args:
        crop: "full" is the whole image. "face" is a square around the face box; it is moved inside the image
            instead of being padded. "upper-face" is the part of it above the bridge of the nose.
        size: (width, height) of the image.
        box: The face box, xywh; required unless `crop` is "full".
        margin: Margin on each side, as a share of the longer side of the box.
    """
    width, height = size
    if crop == "full":
        return 0, 0, width, height
    if box is None:
        raise UsageError(f"--crop {crop} needs a face box")
    side = min(round(max(box[2:]) * (1 + 2 * margin)), width, height)
    x = max(0, min(round(box[0] + box[2] / 2 - side / 2), width - side))
    y = max(0, min(round(box[1] + box[3] / 2 - side / 2), height - side))
    if crop == "face":
        return x, y, side, side
    bottom = round(box[1] + box[3] * UPPER_SHARE)
    return x, y, side, min(max(bottom - y, 1), side)
