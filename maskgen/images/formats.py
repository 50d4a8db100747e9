"""The image formats that maskgen reads, and their signatures: the first bytes of a file, not its name, tell.

Only these formats reach a decoder: each further one would be one more parser for untrusted files.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import cast

from PIL import Image as PillowImage

from maskgen.errors import UnreadableImageError

# Format -> package to install, and classes that may read it. Calling the class instead of `PIL.Image.open`
# excludes all other parsers.
_PLUGINS: dict[str, tuple[str, ...]] = {
    "JPEG": ("pillow", "PIL.JpegImagePlugin:JpegImageFile"),
    "PNG": ("pillow", "PIL.PngImagePlugin:PngImageFile"),
    "WEBP": ("pillow", "PIL.WebPImagePlugin:WebPImageFile"),
    "BMP": ("pillow", "PIL.BmpImagePlugin:BmpImageFile"),
    "TIFF": ("pillow", "PIL.TiffImagePlugin:TiffImageFile"),
    "GIF": ("pillow", "PIL.GifImagePlugin:GifImageFile"),
    "PPM": ("pillow", "PIL.PpmImagePlugin:PpmImageFile"),
    "HEIC": ("pillow-heif", "pillow_heif:HeifImageFile"),
    "AVIF": (
        *("pillow-avif-plugin", "PIL.AvifImagePlugin:AvifImageFile"),
        "pillow_avif.AvifImagePlugin:AvifImageFile",
    ),
    "JXL": ("pillow-jxl-plugin", "pillow_jxl.JpegXLImagePlugin:JXLImageFile"),
}

# Most pixels a side of a format; the limits of other formats are beyond what is ever decoded.
LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}

_SIGNATURES = (
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"RIFF....WEBP", "WEBP"),
    (rb"GIF8[79]a", "GIF"),
    (rb"II[*+]\0|MM\0[*+]", "TIFF"),
    (rb"P[1-6][\s#]", "PPM"),
    (rb"BM", "BMP"),
    (rb"....ftyp(?:avi[fs]|(?:mif1|msf1)....(?:....){0,14}?avi[fs])", "AVIF"),
    (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", "HEIC"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "JXL"),
)

_OTHERS = (
    (rb"version https://git-lfs", "a Git LFS pointer: fetch the real file with `git lfs pull`"),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head)", "an HTML page: the download failed"),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg)", "XML or SVG, not an image in pixels"),
    (rb"\s*[{\[]\s*[\"{\[]", "JSON, not an image"),
    (rb"....ftyp", "a video, not an image"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000, which is not read: convert it first"),
    (rb"%PDF", "a PDF, not an image"),
    (rb"8BPS", "a Photoshop file, which is not read: convert it first"),
    (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!", "an archive, not an image: unpack it first"),
)


@cache
def opener(name: str) -> Callable[[BytesIO], PillowImage.Image]:
    """The Pillow class for a format of `sniff`; an `UnreadableImageError` if its plug-in is not installed."""
    package, *classes = _PLUGINS[name]
    for module, kind in (each.split(":") for each in classes):
        with suppress(ImportError, AttributeError):
            plugin = import_module(module)
            # Pillow may have been built without the library that the module needs.
            if getattr(plugin, "SUPPORTED", True):
                return cast("Callable[[BytesIO], PillowImage.Image]", getattr(plugin, kind))
    raise UnreadableImageError(f"{name} is read by a plug-in of Pillow: pip install {package}")


def sniff(data: bytes) -> str:
    """Detect the format of a file's content, a key of `maskgen.files.suffixes.SUFFIXES`."""
    if not data:
        raise UnreadableImageError("empty file")
    for signature, name in _SIGNATURES:
        if re.match(signature, data, re.DOTALL):
            return name
    for signature, name in _OTHERS:
        if re.match(signature, data, re.DOTALL | re.IGNORECASE):
            raise UnreadableImageError(name)
    if not data.strip(b"\0"):
        raise UnreadableImageError(f"{len(data)} zero bytes, not an image")
    raise UnreadableImageError(f"no known image format: it begins with {data[:8]!r}")


def is_lossless_webp(data: bytes) -> bool:
    """Whether the first frame of a WEBP file is lossless, which Pillow does not tell."""
    offset = 12
    while offset + 8 <= len(data):
        chunk, size = data[offset : offset + 4], int.from_bytes(data[offset + 4 : offset + 8], "little")
        if chunk in (b"VP8 ", b"VP8L"):
            return chunk == b"VP8L"
        # An animation's frame contains its own chunks after 16 bytes of position and duration.
        offset += 24 if chunk == b"ANMF" else 8 + size + size % 2
    return False
