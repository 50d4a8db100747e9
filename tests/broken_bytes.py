"""Image files that are cut short, damaged, lying, huge or unusual, as bytes: a table of kinds for each."""

import io
import re
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

SIZE = (120, 140)
NOISE = np.random.default_rng(1).integers(90, 170, (*SIZE[::-1], 3), np.uint8)
PICTURE = Image.fromarray(NOISE)
GREY = PICTURE.convert("L")


def saved(picture, file_format, **how):
    file = io.BytesIO()
    picture.save(file, file_format, **how)
    return file.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, pixels, *, depth=8, color=2, before=b""):
    """A PNG whose header says what it is told to, whatever the pixels are."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels, 1))
    return b"\x89PNG\r\n\x1a\n" + header + before + data + chunk(b"IEND", b"")


def rows(depth=8):
    """The raw bytes of `PICTURE` in a PNG: a filter byte before each row."""
    values = NOISE if depth == 8 else (NOISE.astype(">u2") * 257)
    return b"".join(b"\0" + row.tobytes() for row in values)


def patched(data, place, new):
    return data[:place] + new + data[place + len(new) :]


def jpeg_of_size(width, height):
    """A JPEG whose frame header says so."""
    data = saved(PICTURE, "JPEG")
    frame = data.index(b"\xff\xc0")
    return patched(data, frame + 5, struct.pack(">HH", height, width))


def tiff_of_size(width, height):
    """An uncompressed TIFF whose directory says so."""
    data = bytearray(saved(PICTURE, "TIFF"))
    first = struct.unpack_from("<I", data, 4)[0]
    for index in range(struct.unpack_from("<H", data, first)[0]):
        entry = first + 2 + 12 * index
        tag = struct.unpack_from("<H", data, entry)[0]
        if tag in (256, 257):
            struct.pack_into("<HHII", data, entry, tag, 4, 1, width if tag == 256 else height)
    return bytes(data)


def tiff_that_leads_back():
    """A TIFF whose directory names itself as the next one."""
    data = bytearray(saved(PICTURE, "TIFF"))
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    return bytes(data)


def exif(orientation):
    values = Image.Exif()
    values[0x0112] = orientation
    return values


def cmyk(transform=None):
    """A CMYK JPEG; with an Adobe transform of 2 its channels are taken for YCCK."""
    data = saved(PICTURE.convert("CMYK"), "JPEG")
    return data if transform is None else patched(data, data.index(b"Adobe") + 11, bytes([transform]))


def flipped(data, first, step, bits=0x10):
    """The data with bits flipped in every step-th byte from `first` on."""
    damaged = bytearray(data)
    for place in range(first, len(damaged) - 2, step):
        damaged[place] ^= bits
    return bytes(damaged)


WHOLE = {
    "jpeg": saved(PICTURE, "JPEG"),
    "jpeg-progressive": saved(PICTURE, "JPEG", progressive=True),
    "png": saved(PICTURE, "PNG"),
    "webp": saved(PICTURE, "WEBP"),
    "webp-lossless": saved(PICTURE, "WEBP", lossless=True),
    "bmp": saved(PICTURE, "BMP"),
    "gif": saved(PICTURE, "GIF"),
    "ppm": saved(PICTURE, "PPM"),
    "tiff": saved(PICTURE, "TIFF"),
    "tiff-lzw": saved(PICTURE, "TIFF", compression="tiff_lzw"),
}
# Cut after a few bytes of header, in the middle, and shortly before the end.
TRUNCATED = {
    f"{kind} cut at {share}": data[: max(12, int(len(data) * float(share)))]
    for kind, data in WHOLE.items()
    for share in ("0.01", "0.5", "0.95")
}

JPEG, SCAN = WHOLE["jpeg"], WHOLE["jpeg"].index(b"\xff\xda") + 14
PNG = WHOLE["png"]
TEXT = PngImagePlugin.PngInfo()
TEXT.add_text("Comment", "x" * 100_000_000, zip=True)

# Kind -> bytes of a file that must be refused with a reason that matches.
REFUSED = {
    **{kind: (data, "truncated|broken|no known|empty") for kind, data in TRUNCATED.items()},
    "jpeg with a flipped frame header": (flipped(JPEG, JPEG.index(b"\xff\xc0"), 1)[: SCAN + 900], "JPEG"),
    "jpeg behind other bytes": (b"garbage" + JPEG, "no known image format"),
    "jpeg of its first marker": (b"\xff\xd8\xff", "JPEG"),
    "png with a wrong checksum": (patched(PNG, 30, b"\0"), "PNG"),
    "png of no width": (png(0, 10, b""), "PNG"),
    "png of an unknown depth": (png(120, 140, rows(), depth=7), "PNG"),
    "png with a text that unfolds to 100 MB": (saved(PICTURE, "PNG", pnginfo=TEXT), "PNG"),
    "bomb by dimension, png": (png(40_000, 40_000, b"\0"), "40000 x 40000 pixels are more than"),
    "bomb by dimension, jpeg": (jpeg_of_size(65_500, 65_500), "65500 x 65500 pixels are more than"),
    "bomb by dimension, tiff": (tiff_of_size(900_000, 900_000), "pixels are more than"),
    "bomb by dimension, gif": (patched(WHOLE["gif"], 6, b"\xff\xff\xff\xff"), "pixels are more than"),
    "bomb by dimension, bmp": (patched(WHOLE["bmp"], 18, struct.pack("<ii", 99_999, 99_999)), "more than"),
    "bomb by dimension, ppm": (b"P6\n99999 99999\n255\n" + bytes(99), "pixels are more than"),
    "bomb by ratio, png": (png(15_000, 15_000, bytes(15_001 * 15_000), color=0), "are more than"),
    "tiff whose strips lie beyond its end": (tiff_of_size(1200, 1400), "TIFF"),
    "webp of no size": (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(9), "WEBP"),
    "gif without a frame": (WHOLE["gif"][:13] + b";", "GIF"),
    "bmp of another bit depth": (patched(WHOLE["bmp"], 28, b"\x07"), "BMP"),
    "ppm of letters": (b"P6\nwide high\n255\n", "PPM"),
    "empty": (b"", "empty file"),
    "zero bytes": (bytes(4096), "4096 zero bytes"),
    "random bytes": (np.random.default_rng(7).bytes(5000), "no known image format"),
    "git lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "Git LFS"),
    "html page": (b"<!DOCTYPE html><html>404</html>", "HTML page"),
    "html page in capitals behind a mark": (b"\xef\xbb\xbf <HTML><BODY>quota", "HTML page"),
    "svg": (b'<?xml version="1.0"?><svg/>', "XML or SVG"),
    "json": (b'{"error": 403}', "JSON"),
    "text": (b"just text", "no known image format"),
    "pdf": (b"%PDF-1.7", "PDF"),
    "zip": (b"PK\x03\x04" + bytes(30), "archive"),
    "gzip": (b"\x1f\x8b" + bytes(30), "archive"),
    "heic": (b"\0\0\0\x1cftypheic" + bytes(30), "HEIC"),
    "avif": (b"\0\0\0\x1cftypavif" + bytes(30), "AVIF"),
    "video": (b"\0\0\0\x1cftypisom" + bytes(30), "video"),
    "jpeg 2000": (b"\0\0\0\x0cjP  " + bytes(30), "JPEG 2000"),
    "jpeg xl": (b"\xff\x0a" + bytes(30), "JXL"),
    "photoshop": (b"8BPS" + bytes(30), "Photoshop"),
}

FRAMES = {"save_all": True, "append_images": [PICTURE.rotate(180)] * 2}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SIXTEEN = Image.fromarray(NOISE[:, :, 0].astype(np.uint16) * 257)
REDUCED = "16 bits reduced to 8"

# Kind -> bytes of a file that must be masked, and what the reason must hold besides.
READ = {
    **{f"exif orientation {turn}": (saved(PICTURE, "JPEG", exif=exif(turn)), None) for turn in range(1, 9)},
    "exif orientation 9": (saved(PICTURE, "JPEG", exif=exif(9)), None),
    "exif that is none": (saved(PICTURE, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0" + b"\x12" * 40), None),
    "jpeg with flipped bits": (flipped(JPEG, SCAN + 200, 700), None),
    "jpeg with other bytes behind": (JPEG + b"trailing garbage" * 9, None),
    "jpeg, grey": (saved(GREY, "JPEG"), None),
    "jpeg, cmyk": (cmyk(), "CMYK converted to RGB"),
    "jpeg, ycck": (cmyk(2), "CMYK converted to RGB"),
    "jpeg with a colour profile": (saved(PICTURE, "JPEG", icc_profile=SRGB), None),
    "jpeg with a profile that is none": (saved(PICTURE, "JPEG", icc_profile=b"no profile" * 20), None),
    "png, 1 bit": (saved(GREY.convert("1"), "PNG"), None),
    "png, grey with alpha": (saved(PICTURE.convert("LA"), "PNG"), None),
    "png with alpha": (saved(PICTURE.convert("RGBA"), "PNG"), None),
    "png, 16 bits, grey": (saved(SIXTEEN, "PNG"), REDUCED),
    "png, 16 bits, colour": (png(*SIZE, rows(16), depth=16), None),
    "png, palette": (saved(PICTURE.convert("P"), "PNG"), None),
    "png, palette with transparency": (saved(PICTURE.convert("P"), "PNG", transparency=1), None),
    # Pillow leaves the rows black that are not there.
    "png that promises more rows": (png(120, 160, rows()), None),
    "png that promises fewer rows": (png(120, 140, rows() + bytes(5000)), None),
    "png without an end": (PNG[:-12], None),
    "png, animated": (saved(PICTURE, "PNG", **FRAMES), "first of several frames"),
    "gif": (WHOLE["gif"], None),
    "gif, animated": (saved(PICTURE, "GIF", **FRAMES), "first of several frames"),
    "webp, animated": (saved(PICTURE, "WEBP", **FRAMES), "first of several frames"),
    "webp, lossless": (WHOLE["webp-lossless"], None),
    "tiff, several pages": (saved(PICTURE, "TIFF", **FRAMES), "first of several frames"),
    "tiff, 16 bits": (saved(SIXTEEN, "TIFF"), REDUCED),
    "tiff, floating point": (saved(GREY.convert("F"), "TIFF"), "floating point"),
    "tiff that leads back to itself": (tiff_that_leads_back(), None),
    "bmp": (WHOLE["bmp"], None),
    "ppm": (WHOLE["ppm"], None),
    "pgm, 16 bits": (saved(SIXTEEN, "PPM"), REDUCED),
}


def suffix_of(kind):
    """The suffix that a file of this kind should have; one that is no image is called a JPEG."""
    found = re.search(r"\b(jpeg|png|webp|tiff|gif|bmp|ppm|pgm)\b(?! (?:2000|xl))", kind)
    return {"jpeg": ".jpg", "tiff": ".tif"}.get(found[1], f".{found[1]}") if found else ".jpg"
