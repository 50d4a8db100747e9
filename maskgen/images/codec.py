"""Decode image files to ``uint8`` BGR arrays and encode them; all images of maskgen pass through this module.

`decode` keeps the parameters that `encode` needs to write the image as it was. Encoding a JPEG again with its
own tables rounds most coefficients to the same values: pixels outside the mask change by about a grey level.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageFile, PngImagePlugin

from maskgen.errors import UnreadableImageError, UsageError
from maskgen.files.suffixes import SUFFIXES, WRITTEN
from maskgen.images.color_profile import plain_profile, to_srgb
from maskgen.images.formats import LONGEST_SIDE, is_lossless_webp, opener, sniff
from maskgen.images.to_bgr import jpeg_planes, to_planes, upright
from maskgen.limits import MAX_TEXT, MAX_TEXTS, VARIABLE, max_pixels

Image = NDArray[np.uint8]

# The quality of a JPEG whose source is none. It is written without chroma subsampling, which would smear the
# edge of a coloured mask over the skin.
JPEG_QUALITY = 95
WEBP_QUALITY = 90
PNG_COMPRESSION = 3  # measured on faces: a third of the time of zlib's default 6, files 6 % larger


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An upright image with its encoding parameters."""

    bgr: Image  # (height, width, 3) uint8, turned upright by the EXIF orientation
    format: str  # Pillow's name of the content's format, not of the file name's: "JPEG", "PNG", ...
    grey: bool = False  # whether the file has one channel; those of `bgr` are then equal
    alpha: Image | None = None  # (height, width) uint8 transparency of the file
    icc: bytes | None = None  # colour profile for RGB or grey pixels, without texts
    jpeg: dict[str, Any] | None = None  # Pillow's options for a JPEG with the tables and chroma of this one
    lossless: bool = False  # whether a WEBP is lossless
    note: str | None = None  # what was dropped, in words (further frames, bits beyond 8)


@dataclass(frozen=True)
class EncodedImage:
    """An image as bytes."""

    data: bytes
    suffix: str  # the format's usual suffix with its dot, in lower case
    same_format: bool = False  # whether it is the source's format, so the source's file name still fits


def decode(data: bytes, limit: int | None = None) -> DecodedImage:
    """Decode a file of a format of `maskgen.images.formats` into upright BGR pixels.

    Only the first of several frames is decoded. An `UnreadableImageError` if the file is no image, broken,
    truncated (a half grey face would be worse than none), or has more pixels than ``limit``, by default
    `maskgen.limits.max_pixels`.
    """
    file_format, limit, notes = sniff(data), limit or max_pixels(), list[str]()
    with _pillow_settings(limit):
        try:
            pillow_image = opener(file_format)(BytesIO(data))
            _check_size(*pillow_image.size, limit)
            orientation = _orientation(pillow_image, notes)
            if getattr(pillow_image, "is_animated", False):
                notes.append("first of several frames")
            planes = jpeg_planes(pillow_image, data) if file_format == "JPEG" else None
            if planes is None:
                pillow_image.load()
        except (UnreadableImageError, MemoryError):
            raise
        except PillowImage.DecompressionBombError as error:
            raise UnreadableImageError(f"more than {limit} pixels in a frame") from error
        except Exception as error:
            # On a broken header, Pillow raises anything from struct.error to RecursionError.
            cause = "truncated" if "truncated" in str(error).lower() else "broken"
            reason = " ".join(str(error).split(" at 0x")[0].split()) or type(error).__name__
            raise UnreadableImageError(f"{cause} {file_format}: {reason}") from error
        if file_format == "TIFF":
            orientation = 1  # Pillow turns a TIFF while loading it.
        jpeg = _jpeg_options(pillow_image) if file_format == "JPEG" else None
        icc: bytes | None = pillow_image.info.get("icc_profile") or None
        bgr, alpha, grey = planes or to_planes(pillow_image, icc, notes)
        if pillow_image.mode == "CMYK":
            icc = None
    profile = plain_profile(icc, b"GRAY" if grey else b"RGB ") if icc else None
    if icc and profile is None and not grey and icc[16:20] == b"RGB ":
        notes.append("colours converted to sRGB")
        bgr = to_srgb(bgr, icc)
    bgr, alpha = upright(bgr, orientation), None if alpha is None else upright(alpha, orientation)
    lossless = file_format == "WEBP" and is_lossless_webp(data)
    return DecodedImage(bgr, file_format, grey, alpha, profile, jpeg, lossless, "; ".join(notes) or None)


def encode(
    bgr: Image, like: DecodedImage | None = None, format: str | None = None, quality: int | None = None
) -> EncodedImage:
    """Encode BGR pixels with the encoding parameters of their source image, reproducibly.

    Args:
        bgr: (height, width, 3) uint8.
        like: The source. Its format, JPEG tables, single grey channel, transparency (if the format supports
            it) and colour profile are kept, other metadata is dropped. None means a colour PNG.
        format: "jpeg", "png" or "webp" to write another format. By default, formats that are not in `WRITTEN`
            become `common_format`: a palette of 256 colours would spoil both face and mask.
        quality: 1 to 100 for JPEG and lossy WEBP, instead of the source's, `JPEG_QUALITY` or `WEBP_QUALITY`.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise UsageError(f"quality must be from 1 to 100, got {quality}")
    if format is not None and format.upper() not in ("JPG", "JPEG", "PNG", "WEBP"):
        raise UsageError(f"format must be jpeg, png or webp, got {format!r}")
    like = like or DecodedImage(bgr, format="")
    own_format = like.format if like.format in WRITTEN else common_format(like)
    target = (format or own_format).upper().replace("JPG", "JPEG")
    height, width = bgr.shape[:2]
    if max(height, width) > (limit := LONGEST_SIDE.get(target, 1 << 31)):
        raise UsageError(f"{target} holds at most {limit} pixels a side, the image has {width} x {height}")
    alpha = like.alpha if target in ("PNG", "WEBP", "TIFF") else None
    lossless = quality is None and like.format == "WEBP" and like.lossless
    jpeg = like.jpeg or {"quality": JPEG_QUALITY, "subsampling": 0}
    options: dict[str, Any] = {
        "JPEG": {**jpeg, "quality": quality, "qtables": None} if quality is not None else {**jpeg},
        "WEBP": {"lossless": lossless, "quality": quality or WEBP_QUALITY, "exact": True},
        "PNG": {"compress_level": PNG_COMPRESSION},
        "TIFF": {"compression": "tiff_lzw"},
    }.get(target, {})
    if like.icc and target in ("JPEG", "PNG", "WEBP", "TIFF"):
        options["icc_profile"] = like.icc
    data = _save(_to_pillow(bgr, target, like.grey, alpha), target, options)
    suffix = ".pgm" if target == "PPM" and like.grey else SUFFIXES[target][0]
    return EncodedImage(data, suffix, same_format=like.format == target)


def encode_grey_png(alpha: Image) -> bytes:
    """Encode a (height, width) uint8 alpha plane as a one-channel PNG."""
    plane = PillowImage.fromarray(np.ascontiguousarray(alpha))
    return _save(plane, "PNG", {"compress_level": PNG_COMPRESSION})


@contextmanager
def _pillow_settings(limit: int) -> Iterator[None]:
    """Set Pillow's process-wide settings for `decode`, and restore them afterwards."""
    png = PngImagePlugin
    before = PillowImage.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    texts = png.MAX_TEXT_CHUNK, png.MAX_TEXT_MEMORY
    # Pillow warns above this number and raises above twice this number.
    PillowImage.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = -(-limit // 2), False
    png.MAX_TEXT_CHUNK, png.MAX_TEXT_MEMORY = MAX_TEXT, MAX_TEXTS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        PillowImage.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before
        png.MAX_TEXT_CHUNK, png.MAX_TEXT_MEMORY = texts


def _check_size(width: int, height: int, limit: int) -> None:
    if width < 1 or height < 1:
        raise UnreadableImageError(f"an image of {width} x {height} pixels")
    if width * height > limit:
        hint = f", see {VARIABLE}" if limit == max_pixels() else ""
        raise UnreadableImageError(f"{width} x {height} pixels are more than {limit}{hint}")


def _orientation(pillow_image: PillowImage.Image, notes: list[str]) -> int:
    try:
        return int(pillow_image.getexif().get(0x0112) or 1)
    except Exception:  # on damaged metadata Pillow raises anything; the pixels may still be readable
        notes.append("EXIF data cannot be read")
        return 1


def common_format(like: DecodedImage) -> str:
    """The output format for a rare input format: "JPEG" if the image is lossy and opaque, else "PNG"."""
    lossy = like.format in ("HEIC", "AVIF", "JXL") or (like.format == "WEBP" and not like.lossless)
    return "JPEG" if lossy and like.alpha is None else "PNG"


def _to_pillow(bgr: Image, target: str, grey: bool, alpha: Image | None) -> PillowImage.Image:
    if target == "JPEG" and not grey:
        # Pillow stores four bytes a pixel, so it uses this array without a copy.
        padded = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGBA)
        return PillowImage.frombuffer("RGBX", (bgr.shape[1], bgr.shape[0]), padded, "raw", "RGBX", 0, 1)
    pixels = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY if grey else cv2.COLOR_BGR2RGB)
    return PillowImage.fromarray(pixels if alpha is None else np.dstack([pixels, alpha]))


def _save(pillow_image: PillowImage.Image, file_format: str, options: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    pillow_image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _jpeg_options(pillow_image: Any) -> dict[str, Any] | None:
    """Pillow's options that encode like this JPEG; None for CMYK, whose tables are for other channels."""
    layers = pillow_image.layer
    if len(layers) not in (1, 3):
        return None
    # libjpeg uses table i for component i, and the last table for the remaining components.
    tables = [list(pillow_image.quantization[layer[3]]) for layer in layers]
    if len({layer[3] for layer in layers}) == 1:
        tables = tables[:1]
    elif tables[1:2] == tables[2:3]:
        tables = tables[:2]
    # 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0. Layouts that Pillow cannot write (4:1:1, 4:4:0) become 4:4:4, which
    # loses nothing.
    factors = tuple(layer[1:3] for layer in layers)
    subsampling = {((2, 1), (1, 1), (1, 1)): 1, ((2, 2), (1, 1), (1, 1)): 2}.get(factors, 0)
    progressive = bool(pillow_image.info.get("progressive") or pillow_image.info.get("progression"))
    return {"subsampling": subsampling, "progressive": progressive, "qtables": tables}
