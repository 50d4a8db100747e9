"""Convert every Pillow mode (grey, palette, CMYK, 16 bit, floating point) to upright BGR and alpha."""

from contextlib import suppress
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from maskgen.images.color_profile import by_color_profile

Image = NDArray[np.uint8]
# (height, width, 3) uint8 BGR; (height, width) uint8 alpha or None; whether the image is grey.
Planes = tuple[Image, Image | None, bool]


def upright(plane: Image, orientation: int) -> Image:
    """Turn and mirror a plane by its EXIF orientation, 1 to 8; other numbers change nothing."""
    if orientation in (5, 6, 7, 8):
        plane = plane.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        plane = plane[::-1]
    if orientation in (2, 3, 6, 7):
        plane = plane[:, ::-1]
    return np.ascontiguousarray(plane)


def jpeg_planes(pillow_image: PillowImage.Image, data: bytes) -> Planes | None:
    """`to_planes` by OpenCV in half of the time, as Pillow copies the pixels twice; None leaves it to Pillow.

    A file without its end mark may be truncated; Pillow refuses it.
    """
    bgr: Any = None
    if pillow_image.mode in ("L", "RGB") and data.endswith(b"\xff\xd9"):
        with suppress(cv2.error):
            flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    is_whole = bgr is not None and bgr.shape[1::-1] == pillow_image.size
    return (bgr, None, pillow_image.mode == "L") if is_whole else None


def to_planes(pillow_image: PillowImage.Image, icc: bytes | None, notes: list[str]) -> Planes:
    """Convert a loaded image of any Pillow mode to planes; ``notes`` receives a phrase for each loss.

    The colour profile ``icc`` is used for CMYK only: others remain valid for the pixels.
    """
    mode = pillow_image.mode
    is_transparent = mode == "PA" or "transparency" in pillow_image.info
    if mode.startswith("I") or mode == "F":
        notes.append("floating point reduced to 8 bits" if mode == "F" else "16 bits reduced to 8")
        return _to_three(_to_8_bits(np.asarray(pillow_image))), None, True
    if mode == "1":
        pillow_image = pillow_image.convert("L")
    elif mode == "CMYK":
        notes.append("CMYK converted to RGB")
        # Pillow's own formula makes skin glow.
        by_profile = by_color_profile(pillow_image, icc) if icc and icc[16:20] == b"CMYK" else None
        pillow_image = by_profile or pillow_image.convert("RGB")
    elif mode == "P" or is_transparent:
        opaque = "L" if mode == "L" else "RGB"
        pillow_image = pillow_image.convert(f"{opaque}A" if is_transparent else opaque)
    elif mode not in ("L", "LA", "RGB", "RGBA"):
        pillow_image = pillow_image.convert("RGBA" if mode == "RGBa" else "RGB")
    if pillow_image.mode == "RGB":
        # Pillow stores four bytes a pixel; exporting them unchanged takes half the time.
        padded = np.frombuffer(pillow_image.tobytes("raw", "RGBX"), np.uint8).reshape(
            *pillow_image.size[::-1], 4
        )
        return _to_three(padded, cv2.COLOR_RGBA2BGR), None, False
    pixels = np.asarray(pillow_image)
    if pillow_image.mode == "L":
        return _to_three(pixels), None, True
    if pillow_image.mode == "LA":
        return _to_three(pixels[:, :, 0]), pixels[:, :, 1].copy(), True
    return _to_three(pixels, cv2.COLOR_RGBA2BGR), pixels[:, :, 3].copy(), False


def _to_three(pixels: Image, conversion: int = cv2.COLOR_GRAY2BGR) -> Image:
    return cv2.cvtColor(pixels, conversion).astype(np.uint8, copy=False)


def _to_8_bits(values: NDArray[Any]) -> Image:
    """Scale 16 bit, 32 bit or floating point grey to 0..255; the greatest value selects the range."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        table: Image = ((np.arange(65536) * 255 + 32767) // 65535).astype(np.uint8)
        return np.take(table, values)
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (65535.0,)
    if low >= 0 and high <= usual[-1]:
        low, high = 0.0, next(top for top in usual if high <= top)
    scaled: Image = np.rint((numbers - low) * (255.0 / max(high - low, 1e-9))).astype(np.uint8)
    return scaled
