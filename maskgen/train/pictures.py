"""Reading a picture once before the training: whether it can be decoded, its size, its content's hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from maskgen.errors import UnreadableImageError
from maskgen.images import decode

ORIENTATION = 0x0112  # the EXIF tag


@dataclass(frozen=True)
class Inspected:
    """What one look at a file told.

    Attributes:
        sha256: Of its content, in hex; empty where the file could not be read.
        size: (width, height), upright.
        plain: As in `maskgen.train.examples.Example`.
        problem: Why it cannot be used, or None.
    """

    sha256: str = ""
    size: tuple[int, int] = (0, 0)
    plain: bool = False
    problem: str | None = None


def inspect(path: Path) -> Inspected:
    """Read and decode a file; what is wrong with it is part of the answer."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Inspected(problem="the file is not there")
    except OSError as error:
        return Inspected(problem=error.strerror or str(error))
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        decoded = decode(data)
    except UnreadableImageError as error:
        return Inspected(sha256, problem=str(error))
    height, width = decoded.bgr.shape[:2]
    plain = decoded.format == "JPEG" and decoded.jpeg is not None and _is_upright(data)
    return Inspected(sha256, (width, height), plain)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The picture as (height, width, 3) uint8 RGB, upright.

    Raises:
        UnreadableImageError: It cannot be read or decoded.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"{path}: {error.strerror or error}") from error
    return np.ascontiguousarray(decode(data).bgr[:, :, ::-1])


def _is_upright(data: bytes) -> bool:
    if b"Exif\0\0" not in data[:65_536]:
        return True
    with PillowImage.open(BytesIO(data)) as picture:
        return picture.getexif().get(ORIENTATION, 1) in (0, 1)
