"""Size limits of images and text files, for Pillow and OpenCV alike.

The environment variable ``MASKGEN_MAX_PIXELS`` changes the number of pixels. The header of an image is
checked before decoding, which rejects small files that expand to gigabytes. Decoding takes 10 bytes a pixel
(measured), with encoding 13: 2.6 GB for an image at the limit.
"""

import os
from contextlib import suppress

from maskgen.errors import UsageError

MAX_PIXELS = 200_000_000
VARIABLE = "MASKGEN_MAX_PIXELS"

# A mask template: it stays in memory, decoded, and is scaled for each face.
MAX_TEMPLATE_PIXELS, MAX_TEMPLATE_BYTES = 16_000_000, 64 << 20

# No face image is larger than this, and reading such a file would exhaust the memory.
MAX_BYTES = 2 << 30

# Text files of a user: label files and tables, config files, and template descriptions.
MAX_LABEL_BYTES, MAX_CONFIG_BYTES, MAX_DESCRIPTION_BYTES = MAX_BYTES, 64 << 10, 1 << 20

# Uncompressed bytes of a Matlab file: three times the largest published one.
MAX_MATLAB_BYTES = 512 << 20

# Uncompressed bytes of the texts inside a PNG: of each, and of all together.
MAX_TEXT, MAX_TEXTS = 1 << 20, 64 << 20


def max_pixels() -> int:
    """The largest image that is decoded, in pixels."""
    setting = os.environ.get(VARIABLE, "").strip() or str(MAX_PIXELS)
    with suppress(ValueError):
        if (number := int(setting.replace("_", ""))) > 0:
            return number
    raise UsageError(f"{VARIABLE} must be a number of pixels, such as {MAX_PIXELS}, got {setting!r}")


def limit_opencv() -> None:
    """Set the same limit in OpenCV's decoders; OpenCV reads it once, on import."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(max_pixels()))
