"""How large an image may be: set here on purpose, for Pillow and OpenCV alike, and adjustable.

``MASKGEN_MAX_PIXELS`` in the environment says another number of pixels. The header of an image is asked
before anything is decoded, so that a small file that unfolds into gigabytes costs nothing. Decoding was
measured to take 10 bytes for each pixel, and with the writing 13: 2.6 GB for an image at the limit.
"""

from __future__ import annotations

import os

from maskgen.errors import UsageError

MAX_PIXELS = 200_000_000
VARIABLE = "MASKGEN_MAX_PIXELS"

# A mask template: its alpha and colour are kept decoded, and scaled again for each face.
MAX_TEMPLATE_PIXELS, MAX_TEMPLATE_BYTES = 16_000_000, 64 << 20

# A file larger than this is no face image, and reading it would take the memory of all workers.
MAX_BYTES = 2 << 30

# Text files of a user: label files and tables, config files (they hold a few short options), and template
# descriptions.
MAX_LABEL_BYTES, MAX_CONFIG_BYTES, MAX_DESCRIPTION_BYTES = MAX_BYTES, 64 << 10, 1 << 20

# Bytes to which a Matlab file may unfold: three times as many as the largest published one takes.
MAX_MATLAB_BYTES = 512 << 20

# Bytes to which the texts inside of a PNG may unfold, each and all together.
MAX_TEXT, MAX_TEXTS = 1 << 20, 64 << 20


def max_pixels() -> int:
    """The largest image that is decoded, in pixels.

    Raises:
        UsageError: The environment says something that is no number.
    """
    said = os.environ.get(VARIABLE, "").strip()
    if not said:
        return MAX_PIXELS
    try:
        number = int(said.replace("_", ""))
    except ValueError:
        number = 0
    if number < 1:
        raise UsageError(f"{VARIABLE} must be a number of pixels, such as {MAX_PIXELS}, got {said!r}")
    return number


def limit_opencv() -> None:
    """Hold OpenCV's own decoders to the same limit; it looks once, when it is first imported."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(max_pixels()))
