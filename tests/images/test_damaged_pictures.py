"""What is no image, or no longer one, is refused with its reason and with nothing else."""

import struct
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import (
    BGR,
    RGB,
    palette_with_transparency,
    saved,
)
from PIL import Image, ImageFile

from maskgen.errors import UnreadableImageError
from maskgen.images import codec
from maskgen.images.codec import decode, encode


def png_header(width: int, height: int) -> bytes:
    import zlib

    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"\0" * 100, "100 zero bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "Git LFS pointer"),
        (b"\n<!DOCTYPE HTML><html>404</html>", "HTML page"),
        (b"<html><body>quota exceeded", "HTML page"),
        (b"\0\0\0\x1cftypheic" + b"\0" * 30, "HEIC"),
        (b"\0\0\0\x1cftypavif" + b"\0" * 30, "AVIF"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04" + b"\0" * 30, "archive"),
        (b'{"error": 403}', "JSON"),
        (b"just text", "no known image format"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WEBP"),
        (b"GIF89a", "GIF"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"BM" + b"\0" * 60, "BMP"),
        (b"P6\n10 10\n255\n", "PPM"),
        (png_header(40_000, 40_000) + b"\0\0\0\0IDAT", "40000 x 40000 pixels are more than"),
        (png_header(0, 10) + b"\0\0\0\0IDAT", "PNG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_picture_is_refused_with_its_reason(data, reason):
    with pytest.raises(UnreadableImageError, match=reason) as caught:
        decode(data)
    assert "0x" not in str(caught.value)
    assert "\n" not in str(caught.value)


WHOLE = {
    "jpeg": saved(RGB, "JPEG"),
    "jpeg-progressive": saved(RGB, "JPEG", progressive=True),
    "png": saved(RGB, "PNG"),
    "webp": saved(RGB, "WEBP"),
    "bmp": saved(RGB, "BMP"),
    "gif": saved(RGB, "GIF"),
    "ppm": saved(RGB, "PPM"),
    "tiff": saved(RGB, "TIFF"),
    "tiff-lzw": saved(RGB, "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("switch", [False, True], ids=["", "others-load-truncated"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", WHOLE)
def test_truncated_files_are_refused(kind, share, switch, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", switch)
    with pytest.raises(UnreadableImageError, match=r"truncated|broken"):
        decode(WHOLE[kind][: int(len(WHOLE[kind]) * share)])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is switch


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(WHOLE)), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255))))
def test_damaged_files_end_in_a_picture_or_in_the_one_error(kind, flips):
    data = bytearray(WHOLE[kind])
    for place, bits in flips:
        data[int(place * (len(data) - 1))] ^= bits
    try:
        decoded = decode(bytes(data))
    except UnreadableImageError as error:
        assert str(error)
    else:
        assert decoded.bgr.ndim == 3
        encode(decoded.bgr, decoded)


def test_the_limit_on_pixels_is_ours_and_not_pillows(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for kind, data in WHOLE.items():
        assert decode(data).bgr.shape == BGR.shape, kind
    assert Image.MAX_IMAGE_PIXELS == 10
    monkeypatch.setenv("MASKGEN_MAX_PIXELS", str(48 * 64 - 1))
    for data in WHOLE.values():
        with pytest.raises(UnreadableImageError, match="more than 3071"):
            decode(data)


def test_a_picture_of_144_megapixels_is_read():
    decoded = decode(saved(Image.new("1", (12_000, 12_000)), "PNG"))
    assert decoded.bgr.shape == (12_000, 12_000, 3)


def test_warnings_do_not_reach_anyone():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        decode(saved(RGB, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0" + b"\x12\x01" * 20))
        decode(palette_with_transparency())
    assert heard == []


def test_broken_files_print_nothing(tmp_path):
    names = []
    # Without the compressed TIFF, whose library prints by itself.
    for kind, data in (item for item in WHOLE.items() if item[0] != "tiff-lzw"):
        names.append(tmp_path / kind)
        names[-1].write_bytes(data[: len(data) // 2] + b"\x07" * 50 + data[len(data) // 2 + 50 :])
    program = (
        "import sys, pathlib\n"
        "from maskgen.errors import UnreadableImageError\n"
        "from maskgen.images.codec import decode\n"
        "for name in sys.argv[1:]:\n"
        "    try: decode(pathlib.Path(name).read_bytes())\n"
        "    except UnreadableImageError: pass\n"
    )
    root = Path(codec.__file__).parents[1]
    ran = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, cwd=root, check=True)
    assert ran.stderr == ran.stdout == b""
