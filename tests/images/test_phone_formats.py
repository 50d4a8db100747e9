"""HEIC, AVIF and JPEG XL: decoded where Pillow or a plug-in can, else refused with the name of a plug-in."""

import sys

import numpy as np
import pytest
from pictures import BGR, RGB, RGBA, saved
from PIL import Image, features

from maskgen.errors import UnreadableImageError
from maskgen.images import formats
from maskgen.images.codec import decode, encode
from maskgen.images.to_bgr import upright

HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1heic"
FILES = {
    "HEIC": (HEIC, "pillow-heif"),
    "AVIF": (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "pillow-avif-plugin"),
    "JXL": (b"\xff\x0a", "pillow-jxl-plugin"),
}


@pytest.fixture(params=FILES)
def form(request):
    """A format that can be read and written here."""
    if request.param == "HEIC":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if request.param == "JXL":
        pytest.importorskip("pillow_jxl")
    if request.param == "AVIF" and not features.check("avif"):
        pytest.skip("Pillow reads AVIF from 11.3 on")
    return request.param


def encoded(picture, form, **options):
    return saved(picture, {"HEIC": "HEIF"}.get(form, form), **options)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_image_is_decoded_upright_and_written_as_jpeg(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(RGB, form, quality=95, exif=exif.tobytes()))
    expected = upright(np.ascontiguousarray(BGR), orientation)
    assert (decoded.format, decoded.bgr.shape) == (form, expected.shape)
    assert np.abs(decoded.bgr.astype(int) - expected).mean() < 3
    written = encode(decoded.bgr, decoded)
    assert (written.suffix, written.same_format, decode(written.data).format) == (".jpg", False, "JPEG")


def test_a_transparent_one_is_written_as_png(form):
    decoded = decode(encoded(RGBA, form))
    assert decoded.alpha is not None
    assert encode(decoded.bgr, decoded).suffix == ".png"


def test_a_cut_one_is_refused_in_one_line(form):
    data = encoded(RGB, form)
    with pytest.raises(UnreadableImageError, match=form) as refused:
        decode(data[: len(data) // 2])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", FILES)
def test_the_plugin_that_is_missing_is_named(monkeypatch, name):
    package, *classes = formats._PLUGINS[name]
    for each in classes:
        monkeypatch.setitem(sys.modules, each.partition(":")[0], None)
    formats.opener.cache_clear()
    with pytest.raises(UnreadableImageError, match=f"{name} is read by .* pip install {package}"):
        decode(FILES[name][0])


def test_a_pillow_that_was_built_without_the_library_has_no_avif(monkeypatch):
    monkeypatch.setattr(pytest.importorskip("PIL.AvifImagePlugin"), "SUPPORTED", False)
    monkeypatch.setitem(sys.modules, "pillow_avif.AvifImagePlugin", None)
    formats.opener.cache_clear()
    with pytest.raises(UnreadableImageError, match="pillow-avif-plugin"):
        decode(FILES["AVIF"][0])


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (HEIC, "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif", "AVIF"),
        (b"\0\0\0\x18ftypavis\0\0\0\0avifavis", "AVIF"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
        (b"\xff\x0a\0", "JXL"),
    ],
)
def test_each_is_known_by_its_first_bytes(data, name):
    assert formats.sniff(data) == name


@pytest.fixture(autouse=True)
def plugins_are_looked_for_anew():
    yield
    formats.opener.cache_clear()
