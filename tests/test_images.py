"""Decode and encode: every kind of picture to upright BGR, and back the way it came."""

import struct
import subprocess
import sys
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile

from maskgen import formats, images
from maskgen.errors import UnreadableImageError, UsageError
from maskgen.images import decode, encode, encode_grey_png


def scene(height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth RGB picture whose four corners differ, so that any turn or channel swap shows."""
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


@pytest.mark.parametrize(
    ("data", "file_format", "expected", "grey", "tolerance"),
    [
        pytest.param(saved(RGB, "PNG"), "PNG", BGR, False, 0, id="png"),
        pytest.param(saved(RGB, "BMP"), "BMP", BGR, False, 0, id="bmp"),
        pytest.param(saved(RGB, "PPM"), "PPM", BGR, False, 0, id="ppm"),
        pytest.param(saved(RGB, "TIFF"), "TIFF", BGR, False, 0, id="tiff"),
        pytest.param(saved(RGB, "TIFF", compression="tiff_lzw"), "TIFF", BGR, False, 0, id="tiff-lzw"),
        pytest.param(saved(RGB, "WEBP", lossless=True), "WEBP", BGR, False, 0, id="webp-lossless"),
        pytest.param(saved(RGB, "WEBP", quality=95), "WEBP", BGR, False, 4, id="webp"),
        pytest.param(saved(RGB, "JPEG", quality=97, subsampling=0), "JPEG", BGR, False, 2, id="jpeg"),
        pytest.param(saved(GREY, "JPEG", quality=97), "JPEG", GREY_BGR, True, 2, id="jpeg-grey"),
        pytest.param(saved(GREY, "PNG"), "PNG", GREY_BGR, True, 0, id="png-grey"),
        pytest.param(saved(GREY, "PPM"), "PPM", GREY_BGR, True, 0, id="pgm"),
        pytest.param(saved(SIXTEEN, "PNG"), "PNG", GREY_BGR, True, 0, id="png-16-bit"),
        pytest.param(saved(SIXTEEN, "TIFF"), "TIFF", GREY_BGR, True, 0, id="tiff-16-bit"),
        pytest.param(saved(SIXTEEN.convert("I"), "TIFF"), "TIFF", GREY_BGR, True, 0, id="tiff-32-bit"),
        pytest.param(saved(FLOATS, "TIFF"), "TIFF", GREY_BGR, True, 0, id="tiff-float"),
        pytest.param(saved(RGBA, "PNG"), "PNG", BGR, False, 0, id="png-rgba"),
        pytest.param(saved(RGB.convert("CMYK"), "TIFF"), "TIFF", BGR, False, 1, id="tiff-cmyk"),
        pytest.param(saved(RGB.convert("CMYK"), "JPEG", quality=97), "JPEG", BGR, False, 3, id="jpeg-cmyk"),
        pytest.param(saved(RGB.quantize(256), "PNG"), "PNG", BGR, False, 12, id="png-palette"),
        pytest.param(saved(RGB.quantize(256), "GIF"), "GIF", BGR, False, 12, id="gif"),
    ],
)
def test_every_kind_of_picture_becomes_bgr(data, file_format, expected, grey, tolerance):
    decoded = decode(data)
    assert decoded.bgr.dtype == np.uint8
    assert decoded.bgr.flags.c_contiguous
    assert decoded.bgr.flags.writeable
    assert (decoded.format, decoded.grey) == (file_format, grey)
    assert np.abs(decoded.bgr.astype(int) - expected).mean() <= tolerance
    if grey:
        assert (decoded.bgr == decoded.bgr[:, :, :1]).all()


def test_one_bit_pictures_become_black_and_white():
    decoded = decode(saved(GREY.convert("1"), "PNG"))
    assert decoded.grey
    assert set(np.unique(decoded.bgr)) == {0, 255}


def test_sixteen_bit_colour_keeps_its_high_bytes():
    import cv2

    decoded = decode(cv2.imencode(".png", BGR.astype(np.uint16) * 257)[1].tobytes())
    assert np.array_equal(decoded.bgr, BGR)


def test_transparency_is_kept_aside_and_written_back():
    decoded = decode(saved(RGBA, "PNG"))
    assert np.array_equal(decoded.alpha, ALPHA)
    again = decode(encode(decoded.bgr, decoded).data)
    assert np.array_equal(again.bgr, BGR)
    assert np.array_equal(again.alpha, ALPHA)
    assert decode(encode(decoded.bgr, decoded, format="jpeg").data).alpha is None


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_grey_with_transparency(file_format):
    picture = Image.fromarray(np.dstack([scene()[:, :, 0], ALPHA]))
    decoded = decode(saved(picture, "PNG"))
    assert decoded.grey
    again = decode(encode(decoded.bgr, decoded, **({"format": "webp"} if file_format == "WEBP" else {})).data)
    assert np.array_equal(again.alpha, ALPHA)


def test_transparent_palette_colour_becomes_alpha():
    decoded = decode(palette_with_transparency())
    assert decoded.alpha.tolist() == [[255, 0, 255, 255], [255, 0, 255, 255]]
    assert decoded.bgr[0, 0].tolist() == [0, 0, 255]


EXIF_TURNS = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: np.rot90(upright, 2),
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: np.rot90,  # stored lying on its side: showing it turns it clockwise
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", EXIF_TURNS)
def test_exif_orientation_is_applied_and_not_written_again(orientation, file_format):
    stored = Image.fromarray(np.ascontiguousarray(EXIF_TURNS[orientation](scene())))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {"quality": 97, "subsampling": 0}
    data = saved(stored, file_format, exif=exif, **(options if file_format in ("WEBP", "JPEG") else {}))
    decoded = decode(data)
    assert decoded.bgr.shape == BGR.shape
    assert np.abs(decoded.bgr.astype(int) - BGR).mean() < 2
    again = encode(decoded.bgr, decoded).data
    assert np.abs(decode(again).bgr.astype(int) - BGR).mean() < 3
    assert reopened(again).getexif().get(0x0112, 1) == 1


def test_alpha_is_turned_with_its_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(saved(RGBA.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif))
    assert np.array_equal(decoded.alpha, ALPHA)


def test_damaged_exif_does_not_lose_the_picture():
    exif = b"Exif\0\0MM\0*" + b"\xff" * 40
    assert np.abs(decode(saved(RGB, "JPEG", exif=exif)).bgr.astype(int) - BGR).mean() < 5


@pytest.mark.parametrize(
    ("options", "subsampling"),
    [
        ({"quality": 30, "subsampling": 2}, 2),
        ({"quality": 75, "subsampling": 1}, 1),
        ({"quality": 92, "subsampling": 0}, 0),
        ({"quality": 80, "subsampling": 2, "progressive": True}, 2),
        ({"qtables": [[3] * 64], "subsampling": 0}, 0),
        ({"qtables": [[3] * 64, [9] * 64, [20] * 64], "subsampling": 2}, 2),
        ({"qtables": [[2] * 64, [2] * 64, [20] * 64], "subsampling": 2}, 2),
    ],
)
def test_jpeg_is_written_with_the_sources_tables(options, subsampling):
    source = saved(RGB, "JPEG", **options)
    decoded = decode(source)
    encoded = encode(decoded.bgr, decoded)
    before, after = reopened(source), reopened(encoded.data)
    assert [after.quantization[layer[3]] for layer in after.layer] == [
        before.quantization[layer[3]] for layer in before.layer
    ]
    assert [layer[1:3] for layer in after.layer] == [layer[1:3] for layer in before.layer]
    assert decoded.jpeg.subsampling == subsampling
    assert after.info.get("progressive") == before.info.get("progressive")
    assert (encoded.suffix, encoded.same_format) == (".jpg", True)


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    quality=st.integers(5, 100),
    subsampling=st.integers(0, 2),
    progressive=st.booleans(),
    grey=st.booleans(),
)
@example(width=1, height=1, quality=100, subsampling=0, progressive=False, grey=False)  # two equal tables
def test_a_second_encoding_is_pillows_own_keep(width, height, quality, subsampling, progressive, grey):
    picture = Image.fromarray(scene(height, width)).convert("L" if grey else "RGB")
    chroma = {} if grey else {"subsampling": subsampling}
    source = saved(picture, "JPEG", quality=quality, progressive=progressive, **chroma)
    decoded = decode(source)
    encoded = encode(decoded.bgr, decoded).data
    before, after = reopened(source), reopened(encoded)
    kept = reopened(saved(before, "JPEG", quality="keep", progressive=progressive))
    assert encoded == encode(decoded.bgr, decoded).data
    assert (after.mode, after.size) == (before.mode, before.size)
    assert after.quantization == before.quantization
    assert after.tobytes() == kept.tobytes()


@pytest.mark.parametrize("quality", [50, 75, 90, 97])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_second_encoding_changes_next_to_nothing(quality, subsampling):
    decoded = decode(
        saved(Image.fromarray(scene(200, 200)), "JPEG", quality=quality, subsampling=subsampling)
    )
    again = decode(encode(decoded.bgr, decoded).data)
    assert np.abs(again.bgr.astype(int) - decoded.bgr).mean() < 0.7


@pytest.mark.parametrize("factors", [(0x41, "4:1:1"), (0x12, "4:4:0")])
def test_chroma_layouts_that_cannot_be_written_become_444(factors):
    # The frame header of a 4:4:4 picture of one block row, told to be of another layout: the picture is
    # nonsense, but a legal one of that layout.
    data = bytearray(saved(RGB.crop((0, 0, 8, 8)), "JPEG", quality=90, subsampling=0))
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = factors[0]
    decoded = decode(bytes(data))
    assert decoded.jpeg.subsampling == 0
    assert [layer[1:3] for layer in reopened(encode(decoded.bgr, decoded).data).layer] == [(1, 1)] * 3


def test_jpeg_of_a_source_that_was_none_is_fine_and_without_chroma_subsampling():
    reference = reopened(saved(RGB, "JPEG", quality=95, subsampling=0))
    for like in (decode(saved(RGB, "PNG")), decode(saved(RGB.convert("CMYK"), "JPEG")), None):
        written = reopened(encode(np.ascontiguousarray(BGR), like, format="jpeg").data)
        assert written.mode == "RGB"
        assert written.quantization == reference.quantization
        assert [layer[1:3] for layer in written.layer] == [(1, 1)] * 3


def test_quality_overrides_the_tables():
    decoded = decode(saved(RGB, "JPEG", quality=40, subsampling=2))
    written = reopened(encode(decoded.bgr, decoded, quality=88).data)
    assert written.quantization == reopened(saved(RGB, "JPEG", quality=88)).quantization
    webp = [len(encode(decoded.bgr, decoded, format="webp", quality=quality).data) for quality in (5, 95)]
    assert webp[0] < webp[1]


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "PPM", "TIFF", "WEBP"])
@pytest.mark.parametrize("picture", [RGB, GREY], ids=["colour", "grey"])
def test_lossless_formats_come_back_bit_for_bit(picture, file_format):
    source = decode(saved(picture, file_format, **({"lossless": True} if file_format == "WEBP" else {})))
    encoded = encode(source.bgr, source)
    again = decode(encoded.data)
    assert np.array_equal(again.bgr, source.bgr)
    assert (again.format, again.grey, encoded.same_format) == (file_format, source.grey, True)
    assert encoded.suffix in formats.SUFFIXES[file_format]


@pytest.mark.parametrize(
    ("source", "override", "suffix", "same"),
    [
        ("PNG", None, ".png", True),
        ("GIF", None, ".png", False),
        ("GIF", "jpeg", ".jpg", False),
        ("PNG", "JPG", ".jpg", False),
        ("JPEG", "jpeg", ".jpg", True),
        ("BMP", "webp", ".webp", False),
    ],
)
def test_which_format_is_written(source, override, suffix, same):
    decoded = decode(saved(RGB, source))
    encoded = encode(decoded.bgr, decoded, format=override)
    assert (encoded.suffix, encoded.same_format) == (suffix, same)
    assert suffix in formats.SUFFIXES[decode(encoded.data).format]


def test_colour_profile_travels_and_other_metadata_does_not():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    for file_format in ("JPEG", "PNG", "TIFF", "WEBP"):
        decoded = decode(saved(RGB, file_format, icc_profile=profile, exif=exif))
        written = reopened(encode(decoded.bgr, decoded).data)
        assert written.info["icc_profile"] == profile
        assert 0x010F not in written.getexif()
    assert "icc_profile" not in reopened(encode(decoded.bgr, decode(saved(RGB, "PNG"))).data).info


def test_a_profile_for_other_channels_is_dropped():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert decode(saved(GREY, "PNG", icc_profile=profile)).icc is None
    assert decode(saved(RGB.convert("CMYK"), "JPEG", icc_profile=profile)).icc is None
    unusable = profile[:16] + b"CMYK" + profile[20:]
    decoded = decode(saved(RGB.convert("CMYK"), "TIFF", icc_profile=unusable))
    assert decoded.icc is None
    assert np.abs(decoded.bgr.astype(int) - BGR).max() <= 1


def test_the_first_of_several_frames_is_taken_and_said():
    frames = [RGB, RGB.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    for file_format in ("TIFF", "PNG", "WEBP", "GIF"):
        options = {"lossless": True} if file_format == "WEBP" else {}
        data = saved(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
        decoded = decode(data)
        assert decoded.note == "first of several frames", file_format
        assert np.abs(decoded.bgr.astype(int) - BGR).mean() < 12, file_format
    assert decode(saved(RGB, "GIF")).note is None
    assert "16 bits" in decode(saved(SIXTEEN, "PNG")).note


def test_one_pixel():
    decoded = decode(saved(RGB.crop((0, 0, 1, 1)), "JPEG"))
    assert decoded.bgr.shape == (1, 1, 3)
    assert decode(encode(decoded.bgr, decoded).data).bgr.shape == (1, 1, 3)


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
    monkeypatch.setattr(images, "MAX_PIXELS", 48 * 64 - 1)
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
        "from maskgen.images import decode\n"
        "for name in sys.argv[1:]:\n"
        "    try: decode(pathlib.Path(name).read_bytes())\n"
        "    except UnreadableImageError: pass\n"
    )
    root = Path(images.__file__).parents[1]
    ran = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, cwd=root, check=True)
    assert ran.stderr == ran.stdout == b""


@pytest.mark.parametrize(
    ("size", "override", "quality", "message"),
    [
        ((8, 8), "gif", None, "format must be jpeg, png or webp"),
        ((8, 8), "jpeg", 0, "quality must be from 1 to 100"),
        ((8, 8), "jpeg", 101, "quality must be from 1 to 100"),
        ((2, 17_000), "webp", None, "WEBP holds at most 16383 pixels a side"),
        ((2, 66_000), "jpeg", None, "JPEG holds at most 65500 pixels a side"),
    ],
)
def test_what_cannot_be_encoded(size, override, quality, message):
    with pytest.raises(UsageError, match=message):
        encode(np.zeros((*size, 3), np.uint8), None, override, quality)


def test_alpha_planes_are_one_channel_pngs():
    picture = reopened(encode_grey_png(ALPHA[:, ::2]))
    assert (picture.format, picture.mode) == ("PNG", "L")
    assert np.array_equal(np.asarray(picture), ALPHA[:, ::2])
