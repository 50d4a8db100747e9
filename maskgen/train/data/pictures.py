"""Reading images: one look at each before the training, and what the model is shown of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from maskgen.errors import UnreadableImageError
from maskgen.images.codec import decode
from maskgen.records import Member
from maskgen.results.reader import read_image_file
from maskgen.train.data.examples import Region

ORIENTATION = 0x0112  # the EXIF tag

_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True)
class Inspected:
    """What one look at a file told.

    Attributes:
        sha256: Of its content, in hex; empty where the file could not be read.
        size: (width, height), upright.
        plain: As in `maskgen.train.data.examples.Example`.
        problem: Why it cannot be used, or None.
    """

    sha256: str = ""
    size: tuple[int, int] = (0, 0)
    plain: bool = False
    problem: str | None = None


def inspect(path: Path, member: Member | None = None) -> Inspected:
    """Read and decode an image; what is wrong with it is part of the answer.

    Args:
        path: Its file, or a path through a tar.
        member: Where it lies in that tar; None for a file of its own.
    """
    try:
        data = read_image_file(path, member)
    except FileNotFoundError:
        return Inspected(problem="the file is not there")
    except OSError as error:
        return Inspected(problem=error.strerror or str(error))
    except UnreadableImageError as error:
        return Inspected(problem=str(error))
    return examine(data)


def examine(data: bytes) -> Inspected:
    """Decode an image; what is wrong with it is part of the answer."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        decoded = decode(data)
    except UnreadableImageError as error:
        return Inspected(sha256, problem=str(error))
    height, width = decoded.bgr.shape[:2]
    plain = decoded.format == "JPEG" and decoded.jpeg is not None and _is_upright(data)
    return Inspected(sha256, (width, height), plain)


def shown_file(
    path: Path,
    member: Member | None,
    region: Region,
    size: int,
    plain: bool = False,
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """What the model is shown of an image in a file: the pixels of `shown`, sooner.

    Args:
        path: Its file, or a path through a tar.
        member: Where it lies in that tar; None for a file of its own.
        region: As for `shown`.
        size: As for `shown`.
        plain: As for `shown`.
        out: As for `shown`.

    Raises:
        OSError, UnreadableImageError: It cannot be read, or not decoded.
    """
    name = str(path)
    # OpenCV reads and decodes a file without the interpreter, for which a thread waits at each of Python's
    # own calls: a tenth of a batch's time. It crashes at names that are no text, and on Windows knows no
    # letters but the system's.
    if plain and member is None and name.isascii():
        reduction = _reduction(region, size)
        rgb = cv2.imread(name, _FLAGS[reduction] | cv2.IMREAD_COLOR_RGB)
        if rgb is not None:
            return _cut(np.asarray(rgb, dtype=np.uint8), reduction, region, size, out)
    return shown(read_image_file(path, member), region, size, plain, out)


def shown(
    data: bytes, region: Region, size: int, plain: bool = False, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """What the model is shown of an image: its region, at the model's size.

    Training and prediction both come here, so that they show the same pixels.

    Args:
        data: The file's content.
        region: x, y, width, height in the upright image.
        size: Side of the result.
        plain: Whether it is a JPEG that OpenCV may decode, at a half, a quarter or an eighth of its size
            where the region is that much larger than the result.
        out: Where to put the result; a new array by default.

    Returns:
        (size, size, 3) uint8, RGB.

    Raises:
        UnreadableImageError: It cannot be decoded.
    """
    if plain and data:
        reduction = _reduction(region, size)
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[reduction] | cv2.IMREAD_COLOR_RGB)
        if rgb is not None:
            return _cut(np.asarray(rgb, dtype=np.uint8), reduction, region, size, out)
    return resized(np.ascontiguousarray(decode(data).bgr[:, :, ::-1]), region, size, out)


def resized(
    rgb: NDArray[np.uint8], region: Region, size: int, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Cut a region out of an upright image and bring it to the model's size.

    Args:
        rgb: (height, width, 3) uint8.
        region: x, y, width, height, inside the image.
        size: Side of the result.
        out: Where to put the result; a new array by default.

    Returns:
        (size, size, 3) uint8; the channels in their order.
    """
    x, y, width, height = region
    cut = rgb[y : y + height, x : x + width]
    out = np.empty((size, size, 3), np.uint8) if out is None else out
    # Averaging takes four times as long, and up to here the linear filter skips no pixel.
    averaged = max(width, height) > 1.5 * size
    cv2.resize(cut, (size, size), out, interpolation=cv2.INTER_AREA if averaged else cv2.INTER_LINEAR)
    return out


def _reduction(region: Region, size: int) -> int:
    """By how much a JPEG may be decoded smaller than it is."""
    least = min(region[2:])
    return next((factor for factor in (8, 4, 2) if least >= factor * size), 1)


def _cut(
    rgb: NDArray[np.uint8], reduction: int, region: Region, size: int, out: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """The region of an image that was decoded smaller than it is."""
    x, y, width, height = (value // reduction for value in region)
    return resized(rgb, (x, y, width, height), size, out)


def _is_upright(data: bytes) -> bool:
    if b"Exif\0\0" not in data[:65_536]:
        return True
    with PillowImage.open(BytesIO(data)) as picture:
        return picture.getexif().get(ORIENTATION, 1) in (0, 1)
