"""Of an image only pixels and the numbers of a plain colour profile get into its masked copy."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from small_runs import face, landmark_file, masked, template_file, write_template

from maskgen.images.codec import decode, encode
from maskgen.images.color_profile import plain_profile
from maskgen.landmarks.landmark_file import write_landmark_file

SIZE = (120, 140)
MARK = b"Jane-Doe-51N-0E"
TEXT = MARK.decode()
PICTURE = Image.fromarray(
    np.random.default_rng(1).normal(140, 12, (*SIZE[::-1], 3)).clip(0, 255).astype(np.uint8)
)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(file_format, **options):
    buffer = BytesIO()
    PICTURE.save(buffer, file_format, **options)
    return buffer.getvalue()


def exif():
    """An artist, a place, a comment, and a thumbnail whose own comment is the mark."""
    tags = Image.Exif()
    tags[0x013B] = tags[0x010E] = TEXT
    tags.get_ifd(0x8825)[0x001D] = TEXT
    tags.get_ifd(0x8769)[0x9286] = MARK
    return tags


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(*segments):
    """A JPEG with these segments after its first marker."""
    data = saved("JPEG", quality=90)
    return data[:2] + b"".join(segments) + data[2:]


def thumbnail():
    """An EXIF block whose second directory holds a small JPEG."""
    small = BytesIO()
    PICTURE.resize((16, 16)).save(small, "JPEG", comment=MARK)
    data = small.getvalue()
    entries = ((0x0103, 3, 6), (0x0201, 4, 56), (0x0202, 4, len(data)))
    second = struct.pack("<H", 3) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries
    )
    return b"Exif\0\0" + b"II*\0" + struct.pack("<IHI", 8, 0, 14) + second + bytes(4) + data


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks):
    """A PNG with these chunks after its header."""
    data = saved("PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def texts():
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", TEXT)
    info.add_itxt("XML:com.adobe.xmp", TEXT)
    return info


def riff(kind, body):
    """A WEBP with one chunk of a kind that nobody knows."""
    data = saved("WEBP", exif=exif())
    data += kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def bmp():
    """A BMP with a gap before its pixels."""
    data = saved("BMP")
    offset = struct.unpack_from("<I", data, 10)[0]
    return data[:10] + struct.pack("<I", offset + len(MARK)) + data[14:offset] + MARK + data[offset:]


def profile(name):
    """sRGB with the mark in its description, date, maker, identifier, a private tag, and behind its end."""
    data = bytearray(SRGB)
    (count,) = struct.unpack_from(">I", data, 128)
    entries = [struct.unpack_from(">4sII", data, 132 + 12 * n) for n in range(count)]
    table = b"".join(struct.pack(">4sII", tag, at + 12, size) for tag, at, size in entries)
    end = len(data) + 12
    table += struct.pack(">4sII", name, end, 8 + len(MARK))
    body = bytes(data[132 + 12 * count :]) + b"text\0\0\0\0" + MARK
    header = bytearray(data[:128])
    header[84:99] = MARK
    return bytes(header) + struct.pack(">I", count + 1) + table + body + MARK


def frames(file_format, **options):
    second = PICTURE.rotate(180)
    second.encoderinfo = {}
    return saved(file_format, save_all=True, append_images=[second], **options)


PROFILE = profile(b"priv")
PLANTED = {
    "comment.jpg": jpeg(segment(0xFE, MARK)),
    "exif.jpg": saved("JPEG", exif=exif()),
    "thumbnail.jpg": jpeg(segment(0xE1, thumbnail())),
    "xmp.jpg": jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + MARK)),
    "iptc.jpg": jpeg(segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x14\x1c\x02\x50\0\x0f" + MARK)),
    "app15.jpg": jpeg(segment(0xEF, MARK)),
    "jfif.jpg": jpeg(segment(0xE0, b"JFXX\0\x10" + MARK)),
    "profile.jpg": saved("JPEG", icc_profile=PROFILE),
    "motion.jpg": saved("JPEG") + b"\0\0\0\x18ftypmp42" + MARK,
    "mpo.jpg": frames("MPO", exif=exif()),
    "grey.jpg": jpeg(segment(0xFE, MARK)),
    "texts.png": saved("PNG", pnginfo=texts()),
    "zipped.png": png(chunk(b"zTXt", b"Author\0\0" + zlib.compress(MARK)), chunk(b"tEXt", b"Title\0" + MARK)),
    "exif.png": saved("PNG", exif=exif()),
    "private.png": png(chunk(b"prVt", MARK), chunk(b"tIME", b"\x07\xe8\1\1\1\1\1")),
    "profile.png": saved("PNG", icc_profile=PROFILE, pnginfo=texts()),
    "behind.png": saved("PNG") + MARK,
    "frames.png": frames("PNG", pnginfo=texts()),
    "exif.webp": saved("WEBP", exif=exif(), xmp=MARK),
    "profile.webp": saved("WEBP", icc_profile=PROFILE),
    "private.webp": riff(b"PRIV", MARK),
    "frames.webp": frames("WEBP", exif=exif(), xmp=MARK),
    "tags.tif": saved("TIFF", tiffinfo={270: TEXT, 315: TEXT, 700: MARK, 33723: MARK, 65000: TEXT}),
    "exif.tif": saved("TIFF", exif=exif()),
    "profile.tif": saved("TIFF", icc_profile=PROFILE),
    "pages.tif": frames("TIFF", tiffinfo={270: TEXT}),
    "comment.gif": saved("GIF", comment=MARK),
    "frames.gif": frames("GIF", comment=MARK),
    "gap.bmp": bmp(),
    "behind.bmp": saved("BMP") + MARK,
    "comment.ppm": saved("PPM").replace(b"P6\n", b"P6\n# " + MARK + b"\n", 1),
    "behind.ppm": saved("PPM") + MARK,
}
SPELLINGS = (MARK, TEXT.encode("utf-16-be"), TEXT.encode("utf-16-le"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("planted") / "src"
    root.mkdir()
    for name, data in PLANTED.items():
        (root / name).write_bytes(data)
    write_landmark_file(landmark_file(root), [(name, SIZE, [face(SIZE)]) for name in PLANTED])
    write_template(template_file(root))
    return root


@pytest.mark.parametrize("name", PLANTED)
def test_the_mark_is_in_the_source(name):
    opened = Image.open(BytesIO(PLANTED[name]))
    told = f"{opened.info} {getattr(opened, 'text', '')}".encode()
    assert any(spelling in PLANTED[name] + told for spelling in SPELLINGS)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layout": "webdataset"},
        {"layout": "folders", "format": "jpeg"},
        {"format": "png"},
        {"format": "webp"},
    ],
    ids=str,
)
def test_no_mark_is_in_any_file_of_a_result(root, tmp_path, options):
    counts = masked(root, tmp_path / "out", pairs=True, alpha=True, label=None, **options)
    assert counts.images == len(PLANTED)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > (10 if options.get("layout") == "webdataset" else 3 * len(PLANTED))
    for path in files:
        data = path.read_bytes()
        assert not [spelling for spelling in SPELLINGS if spelling in data], path
        if path.suffix in (".jpg", ".png", ".webp", ".tif", ".gif", ".bmp", ".ppm"):
            opened = Image.open(BytesIO(data))
            assert getattr(opened, "n_frames", 1) == 1, path
            assert not {"exif", "xmp", "comment", "photoshop", "mp"} & set(opened.info), path
            assert not [tag for tag in opened.getexif() if opened.format != "TIFF"], path
            assert not getattr(opened, "text", None), path


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_plain_profile_keeps_its_colours_and_loses_its_texts(file_format):
    wide = with_primaries(SRGB)
    decoded = decode(saved(file_format, icc_profile=wide))
    kept = Image.open(BytesIO(encode(decoded.bgr, decoded).data)).info["icc_profile"]
    assert len(kept) < 700 and b"built-in" not in kept
    before, after = (shown(icc) for icc in (wide, kept))
    assert np.array_equal(before, after)
    assert np.abs(before - shown(SRGB)).max() > 20


def test_a_profile_of_tables_is_applied_and_dropped():
    tables = profile(b"A2B0")
    decoded = decode(saved("PNG", icc_profile=tables))
    assert decoded.icc is None and decoded.note == "colours converted to sRGB"


@pytest.mark.parametrize(
    "icc",
    [b"", MARK, SRGB[:200], SRGB[:130], SRGB[:16] + b"GRAY" + SRGB[20:], SRGB.replace(b"rXYZ", b"xxxx")],
)
def test_what_is_no_plain_profile_of_these_pixels(icc):
    assert plain_profile(icc, b"RGB ") is None


def with_primaries(icc):
    """The profile with red and green primaries further apart."""
    data = bytearray(icc)
    (count,) = struct.unpack_from(">I", data, 128)
    for n in range(count):
        tag, at, _ = struct.unpack_from(">4sII", data, 132 + 12 * n)
        if tag in (b"rXYZ", b"gXYZ"):
            x, y, z = struct.unpack_from(">3i", data, at + 8)
            shift = 6000 if tag == b"rXYZ" else -6000
            struct.pack_into(">3i", data, at + 8, x + shift, y, z)
    return bytes(data)


def shown(icc):
    srgb = ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(PICTURE, BytesIO(icc), srgb)).astype(int)
