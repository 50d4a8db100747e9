"""The suffixes of image files and archives; the content of an image determines its format."""

import re

# Format -> suffixes of its files in lower case; new files get the first.
SUFFIXES: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi", ".pjpeg", ".pjp"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "HEIC": (".heic", ".heif", ".hif", ".heics", ".heifs"),
    "AVIF": (".avif", ".avifs"),
    "JXL": (".jxl",),
    "JPEG 2000": (".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc"),
}
IMAGE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)

# Formats that an output image may keep; an image of another format becomes a JPEG or PNG.
WRITTEN = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM")
CONVERTED_SUFFIXES = frozenset(each for name in SUFFIXES if name not in WRITTEN for each in SUFFIXES[name])

# Layout -> formats that an image keeps in it. The class folder loaders of Keras and torchvision, and the
# decoders of the webdataset library, read these and silently skip others.
KEPT = {"mirror": WRITTEN, "folders": ("JPEG", "PNG", "BMP"), "webdataset": ("JPEG", "PNG", "PPM")}
FOLDERS_SUFFIXES = frozenset((*SUFFIXES["JPEG"][:2], SUFFIXES["PNG"][0], SUFFIXES["BMP"][0]))

_ARCHIVE = re.compile(r"(?i)\.(?:zip|7z|rar|tar|tgz|tbz2?|txz|tzst|gz|bz2|xz|zst|z\d\d|\d{3}|part\d+)$")


def suffix_of(name: str) -> str:
    """The suffix of a file name with its dot, in its own case; a first or last dot starts no suffix."""
    dot = name.rfind(".")
    return name[dot:] if 0 < dot < len(name) - 1 else ""


def is_image_name(name: str) -> bool:
    """Whether a file of this name is an input."""
    return f".{name.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES and "." in name


def is_archive_name(name: str) -> bool:
    """Whether a file of this name is an archive, or a part of one, to unpack first."""
    return _ARCHIVE.search(name) is not None
