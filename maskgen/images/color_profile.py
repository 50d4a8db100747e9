"""Colour profiles without personal data.

The description, private tags, date and identifier of a profile can name a person or a device. `plain_profile`
keeps its white point, primaries and tone curves only; `to_srgb` converts the pixels if it needs more.
"""

import struct
from contextlib import suppress
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageCms

_CURVES = {b"RGB ": (b"rTRC", b"gTRC", b"bTRC"), b"GRAY": (b"kTRC",)}
_POINTS = {b"RGB ": (b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ"), b"GRAY": (b"wtpt",)}
_PARAMETERS = (1, 3, 4, 5, 7)  # of a parametric curve, by its number
_LONGEST_CURVE = 4096
_NAME = "RGB or grey".encode("utf-16-be")
_HEADER, _ENTRY = 128, 12


def plain_profile(icc: bytes, space: bytes) -> bytes | None:
    """Rewrite a profile of a colour space, b"RGB " or b"GRAY", without texts, dates and private tags.

    None if it is damaged, has another colour space, or has tables, which override primaries and curves.
    """
    try:
        if icc[16:24] != space + b"XYZ " or icc[36:40] != b"acsp":
            return None
        (count,) = struct.unpack_from(">I", icc, _HEADER)
        entries = struct.iter_unpack(">4sII", icc[_HEADER + 4 : _HEADER + 4 + _ENTRY * min(count, 100)])
        tags = {name: icc[offset : offset + size] for name, offset, size in entries}
        kept = {name: _numbers(tags[name], b"XYZ ", 12) for name in _POINTS[space]}
        kept |= {name: _curve(tags[name]) for name in _CURVES[space]}
        if b"chad" in tags:
            kept[b"chad"] = _numbers(tags[b"chad"], b"sf32", 36)
    except (KeyError, IndexError, struct.error, ValueError):
        return None
    if any(name[:3] in (b"A2B", b"D2B") for name in tags):
        return None
    text = struct.pack(">4sIII4sII", b"mluc", 0, 1, 12, b"enUS", len(_NAME), 28) + _NAME
    kept[b"desc"] = kept[b"cprt"] = text
    return _profile(space, kept)


def to_srgb(bgr: NDArray[np.uint8], icc: bytes) -> NDArray[np.uint8]:
    """Convert (height, width, 3) uint8 pixels from a profile to sRGB; unchanged if it is unusable."""
    converted = by_color_profile(PillowImage.fromarray(np.ascontiguousarray(bgr[:, :, ::-1])), icc)
    return bgr if converted is None else np.ascontiguousarray(np.asarray(converted)[:, :, ::-1])


def by_color_profile(pillow_image: PillowImage.Image, icc: bytes) -> PillowImage.Image | None:
    """Convert an image from a profile to sRGB; None if it is unusable."""
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(pillow_image, BytesIO(icc), srgb, outputMode="RGB")
    return None


def _curve(tag: bytes) -> bytes:
    """A tone curve: a table or a gamma ("curv"), or the parameters of a formula ("para")."""
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        return _numbers(tag, b"para", 4 + 4 * _PARAMETERS[kind], keep=2)
    (count,) = struct.unpack_from(">I", tag, 8)
    if count > _LONGEST_CURVE:
        raise ValueError(f"a curve of {count} numbers")
    return _numbers(tag, b"curv", 4 + 2 * count)


def _numbers(tag: bytes, kind: bytes, size: int, keep: int = 4) -> bytes:
    """A tag with its reserved bytes zeroed: 4 after the type, and those after ``keep`` of the next 4."""
    body = tag[8 : 8 + size]
    if tag[:4] != kind or len(body) != size:
        raise ValueError(f"no {kind!r} of {size} bytes")
    return kind + bytes(4) + body[:keep] + bytes(4 - keep) + body[4:]


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A version 4 profile with these tags."""
    table, body = b"", b""
    start = _HEADER + 4 + _ENTRY * len(tags)
    for name, tag in sorted(tags.items()):
        table += struct.pack(">4sII", name, start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI4s4sQI3I4s44x",
        *(start + len(body), bytes(4), 0x04200000, b"mntr", space, b"XYZ ", 2000, 1, 1, 0, 0, 0, b"acsp"),
        *(bytes(4), 0, bytes(4), bytes(4), 0, 0, 0xF6D6, 0x10000, 0xD32D, bytes(4)),
    )
    return header + struct.pack(">I", len(tags)) + table + body
