"""Images that the tests of decoding and encoding make."""

from io import BytesIO

import numpy as np
from PIL import Image


def scene(height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth RGB image whose four corners differ, so that any turn or channel swap shows."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    red = 230 * x / max(width - 1, 1)
    green = 200 * y / max(height - 1, 1)
    blue = 128 + 100 * np.sin(x / 17 + y / 23)
    return np.dstack([red, green, blue]).astype(np.uint8)


def saved(picture: Image.Image, file_format: str, **options) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def reopened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


RGB = Image.fromarray(scene())
GREY = Image.fromarray(scene()[:, :, 0])
BGR = scene()[:, :, ::-1]
GREY_BGR = np.dstack([scene()[:, :, 0]] * 3)
ALPHA = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
RGBA = Image.fromarray(np.dstack([scene(), ALPHA]))
SIXTEEN = Image.fromarray(scene()[:, :, 0].astype(np.uint16) * 257)
FLOATS = Image.fromarray(scene()[:, :, 0].astype(np.float32) / 255)


def palette_with_transparency() -> bytes:
    picture = Image.new("P", (4, 2))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.putdata([0, 1, 2, 0, 0, 1, 2, 0])
    return saved(picture, "PNG", transparency=1)
