"""What `maskgen.images.codec.decode` makes of every kind of image."""

import numpy as np
import pytest
from pictures import (
    ALPHA,
    BGR,
    FLOATS,
    GREY,
    GREY_BGR,
    RGB,
    RGBA,
    SIXTEEN,
    palette_with_transparency,
    reopened,
    saved,
    scene,
)
from PIL import Image

from maskgen.images.codec import decode, encode


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
