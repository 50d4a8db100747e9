"""What `maskgen.images.codec.encode` writes: the source's own format and tables by default."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pictures import ALPHA, BGR, GREY, RGB, reopened, saved, scene
from PIL import Image, ImageCms

from maskgen.errors import UsageError
from maskgen.files.suffixes import SUFFIXES
from maskgen.images.codec import decode, encode, encode_grey_png
from maskgen.images.color_profile import plain_profile


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
    assert decoded.jpeg["subsampling"] == subsampling
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
    # The frame header of a 4:4:4 image of one block row, told to be of another layout: the image is
    # nonsense, but a legal one of that layout.
    data = bytearray(saved(RGB.crop((0, 0, 8, 8)), "JPEG", quality=90, subsampling=0))
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = factors[0]
    decoded = decode(bytes(data))
    assert decoded.jpeg["subsampling"] == 0
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
    assert encoded.suffix in SUFFIXES[file_format]


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
    assert suffix in SUFFIXES[decode(encoded.data).format]


def test_colour_profile_travels_and_other_metadata_does_not():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    for file_format in ("JPEG", "PNG", "TIFF", "WEBP"):
        decoded = decode(saved(RGB, file_format, icc_profile=profile, exif=exif))
        written = reopened(encode(decoded.bgr, decoded).data)
        assert written.info["icc_profile"] == plain_profile(profile, b"RGB ")
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
