"""Encoding parameters of a JPEG, and Pillow's options that encode another image with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# The quality without a source JPEG. It is written without chroma subsampling, which would smear the edge of a
# coloured mask over the skin.
JPEG_QUALITY = 95


@dataclass(frozen=True)
class JpegSettings:
    """Encoding parameters of a JPEG."""

    tables: tuple[tuple[int, ...], ...]  # quantisation of luma and, unless grey, of the two chroma components
    # Pillow's number: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0. Layouts that Pillow cannot write (4:1:1, 4:4:0)
    # become 4:4:4, which loses nothing.
    subsampling: int
    progressive: bool
    stored: int  # number of tables in the file; components can share a table


def jpeg_settings(pillow_image: Any) -> JpegSettings | None:
    """Read the encoding parameters of a JPEG; None for CMYK, whose tables are for other channels."""
    layers = pillow_image.layer
    if len(layers) not in (1, 3):
        return None
    tables = tuple(tuple(pillow_image.quantization[layer[3]]) for layer in layers)
    factors = tuple(layer[1:3] for layer in layers)
    subsampling = {((2, 1), (1, 1), (1, 1)): 1, ((2, 2), (1, 1), (1, 1)): 2}.get(factors, 0)
    progressive = bool(pillow_image.info.get("progressive") or pillow_image.info.get("progression"))
    return JpegSettings(tables, subsampling, progressive, len({layer[3] for layer in layers}))


def jpeg_options(source: JpegSettings | None, quality: int | None, grey: bool) -> dict[str, Any]:
    """Pillow's options for a JPEG like the source; ``quality`` replaces its tables."""
    if source is None:
        return {"quality": quality or JPEG_QUALITY, "subsampling": 0}
    options: dict[str, Any] = {"subsampling": source.subsampling, "progressive": source.progressive}
    if quality is not None:
        return options | {"quality": quality}
    # libjpeg uses table i for component i, and the last table for the remaining components.
    tables = [list(table) for table in source.tables]
    if grey or source.stored == 1:
        tables = tables[:1]
    elif source.tables[1:2] == source.tables[2:3]:
        tables = tables[:2]
    return options | {"qtables": tables}
