"""From an image file to a model's input: inspect each file once, then crop and resize it."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as PillowImage

from maskgen.errors import UnreadableImageError, UsageError
from maskgen.images.codec import decode
from maskgen.records import Box, Member
from maskgen.results.reader import read_image_file
from maskgen.train.data.examples import Example, Region

_FLAGS = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}

# Share of the face box above the bridge of the nose: a mask worn correctly does not cover it. The box is the
# box of the face mesh, from the hairline to the chin.
UPPER_SHARE = 0.5


@dataclass(frozen=True)
class Inspected:
    """Properties of an image file."""

    sha256: str = ""  # of the content, in hex; empty if the file could not be read
    size: tuple[int, int] = (0, 0)  # (width, height) of the upright image
    plain: bool = False  # see `Example`
    problem: str | None = None  # why the image cannot be used


def inspect(path: Path, member: Member | None = None) -> Inspected:
    """`examine` the file of an image, or its member of a tar; `path` leads through the tar."""
    try:
        return examine(read_image_file(path, member))
    except FileNotFoundError:
        return Inspected(problem="the file is not there")
    except OSError as error:
        return Inspected(problem=error.strerror or str(error))
    except UnreadableImageError as error:
        return Inspected(problem=str(error))


def examine(data: bytes) -> Inspected:
    """Decode the content of an image file; a failure is returned as `Inspected.problem`."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        decoded = decode(data)
    except UnreadableImageError as error:
        return Inspected(sha256, problem=str(error))
    height, width = decoded.bgr.shape[:2]
    plain = decoded.format == "JPEG" and decoded.jpeg is not None
    if plain and b"Exif\0\0" in data[:65_536]:
        with PillowImage.open(BytesIO(data)) as pillow_image:
            plain = pillow_image.getexif().get(ExifTags.Base.Orientation, 1) in (0, 1)
    return Inspected(sha256, (width, height), plain)


def shown_example(example: Example, size: int) -> NDArray[np.uint8]:
    """`shown` for the file of an example; `OSError` if it cannot be read."""
    data = read_image_file(example.path, example.member)
    return shown(data, example.region, size, example.plain)


def shown(data: bytes, region: Region, size: int, plain: bool = False) -> NDArray[np.uint8]:
    """The model input of an image: (size, size, 3) uint8 RGB. Training and prediction use this function.

    `data` is the content of the file, `region` x, y, width, height in the upright image. If it is `plain`,
    OpenCV decodes the JPEG directly, at 1/2, 1/4 or 1/8 scale if the region is that much larger than the
    result.
    """
    if plain and data:
        reduction = next((factor for factor in _FLAGS if min(region[2:]) >= factor * size), 1)
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[reduction])
        if bgr is not None:
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            x, y, width, height = (value // reduction for value in region)
            return resized(np.asarray(rgb, dtype=np.uint8), (x, y, width, height), size)
    return resized(np.ascontiguousarray(decode(data).bgr[:, :, ::-1]), region, size)


def resized(rgb: NDArray[np.uint8], region: Region, size: int) -> NDArray[np.uint8]:
    """Crop a region (x, y, width, height) from an upright image and resize it to (size, size, 3) uint8."""
    x, y, width, height = region
    # INTER_AREA takes four times as long; up to a factor of 1.5, INTER_LINEAR skips no pixel.
    interpolation = cv2.INTER_AREA if max(width, height) > 1.5 * size else cv2.INTER_LINEAR
    image = cv2.resize(rgb[y : y + height, x : x + width], (size, size), interpolation=interpolation)
    return np.asarray(image, dtype=np.uint8)


def region_of(crop: str, size: tuple[int, int], box: Box | None, margin: float) -> Region:
    """The region of an image that a model sees: x, y, width, height in whole pixels, inside the image.

    "full" is the whole image. "face" is a square around the face box; it is moved inside the image instead
    of being padded. "upper-face" is the part of it above the bridge of the nose. `size` is (width, height),
    `box` is xywh, and `margin` is a share of the longer side of the box, on each side.
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
