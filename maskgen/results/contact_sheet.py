"""Write the contact sheet ``preview.jpg``: source, masked image and alpha of sample rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.files.atomic import write_atomic
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import contained, leads_out
from maskgen.files.tar import folder_of, read_path
from maskgen.images.codec import decode, encode
from maskgen.records import ManifestRow
from maskgen.results.manifest import evenly_spaced_rows

THUMBNAIL = 160
COLUMNS = 3
_GAP = 8
_CAPTION = 34
_PAPER, _INK, _FAINT = (250, 250, 248), (20, 20, 20), (110, 110, 110)


@dataclass(frozen=True)
class _Cell:
    row: ManifestRow
    thumbnails: tuple[PillowImage.Image, ...]


def write_contact_sheet(out: Path, root: Path | None, samples: int = 24) -> Path | None:
    """Write ``OUT/preview.jpg``.

    Each cell shows a face of the source, the same pixels masked, and the alpha: the alpha file if there is
    one, else the difference of the two images. The same result gives the same bytes.

    Args:
        out: An output folder of `maskgen synth`.
        root: The root of the sources: a folder, or a table or pattern in one. The place of a missing source
            stays empty.
        samples: Number of cells, evenly spread over the masked rows of the manifest.

    Returns:
        The path of the file; None, and no file, if nothing was masked.
    """
    root = root and folder_of(root)
    rows = evenly_spaced_rows(out / "manifest.jsonl", samples)
    cells = [cell for row in rows if (cell := _cell(out, root, row))]
    path = out / "preview.jpg"
    if not cells:
        path.unlink(missing_ok=True)
        return None
    write_atomic(path, encode(_draw(cells), None, "jpeg", 88).data)
    return path


def _cell(out: Path, root: Path | None, row: ManifestRow) -> _Cell | None:
    masked = _read(out, row.file_name) if row.file_name else None
    if masked is None:
        return None
    path = row.source.get("path")
    source = _read(root, path) if root and path else None
    if source is not None and source.shape != masked.shape:
        source = None
    alpha_file = row.faces[0].alpha_file if row.faces else None
    alpha = _read(out, alpha_file) if alpha_file else None
    if alpha is None and source is not None:
        # The encoder changes pixels by a few levels, the mask by many.
        difference = np.abs(source.astype(np.int16) - masked).max(axis=2)
        alpha = np.repeat(np.clip(4 * (difference - 8), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    window_ltrb = _window(row, masked.shape[1], masked.shape[0])
    thumbnails = (_thumbnail(plane, window_ltrb) for plane in (source, masked, alpha))
    return _Cell(row, tuple(thumbnails))


def _read(folder: Path, text: str) -> NDArray[np.uint8] | None:
    """(height, width, 3) uint8 BGR; None if the file is absent or cannot be decoded.

    Also None for a path that leads out of the folder: an untrusted manifest must not select other files of
    this machine.
    """
    name = from_text(text)
    try:
        if leads_out(name):
            return None
        return decode(read_path(folder / contained(folder, name, "the manifest"))).bgr
    except (OSError, UnreadableImageError, AnnotationError):
        return None


def _window(row: ManifestRow, width: int, height: int) -> tuple[int, int, int, int]:
    """The visible square around the first face, inside the image, as left, top, right, bottom."""
    if not row.faces:
        return 0, 0, width, height
    x, y, across, down = row.faces[0].box
    side = round(1.6 * max(across, down, 1))
    wide, high = min(side, width), min(side, height)
    left = min(max(round(x + across / 2 - wide / 2), 0), width - wide)
    top = min(max(round(y + down / 2 - high / 2), 0), height - high)
    return left, top, left + wide, top + high


def _thumbnail(bgr: NDArray[np.uint8] | None, window_ltrb: tuple[int, int, int, int]) -> PillowImage.Image:
    tile = PillowImage.new("RGB", (THUMBNAIL, THUMBNAIL), (225, 225, 222))
    if bgr is None:
        ImageDraw.Draw(tile).text((THUMBNAIL / 2, THUMBNAIL / 2), "not here", _FAINT, _font(12), anchor="mm")
        return tile
    face = PillowImage.fromarray(np.ascontiguousarray(bgr[..., ::-1])).crop(window_ltrb)
    scale = THUMBNAIL / max(face.size)
    size = (max(round(face.width * scale), 1), max(round(face.height * scale), 1))
    face = face.resize(size, PillowImage.Resampling.LANCZOS)
    tile.paste(face, ((THUMBNAIL - size[0]) // 2, (THUMBNAIL - size[1]) // 2))
    return tile


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _draw(cells: list[_Cell]) -> NDArray[np.uint8]:
    """The sheet in BGR, drawn line by line: a whole Pillow sheet would need several copies in memory."""
    columns = min(COLUMNS, len(cells))
    lines = -(-len(cells) // columns)
    wide, high = 3 * THUMBNAIL + 2, THUMBNAIL + _CAPTION
    width, step = columns * (wide + 2 * _GAP) + _GAP, high + _GAP
    sheet = np.full((lines * step + 2 * _GAP, width, 3), _PAPER[::-1], np.uint8)
    for line in range(lines):
        strip = PillowImage.new("RGB", (width, step), _PAPER)
        pen = ImageDraw.Draw(strip)
        for index, cell in enumerate(cells[line * columns : (line + 1) * columns]):
            left = _GAP + index * (wide + 2 * _GAP)
            for column, thumbnail in enumerate(cell.thumbnails):
                strip.paste(thumbnail, (left + column * (THUMBNAIL + 1), 0))
            for number, (text, size, ink) in enumerate(_captions(cell.row)):
                place = (left, THUMBNAIL + 3 + 15 * number)
                pen.text(place, _shortened(text, pen, size, wide), ink, _font(size))
        sheet[_GAP + line * step :][:step] = np.asarray(strip)[..., ::-1]
    return sheet


def _captions(row: ManifestRow) -> tuple[tuple[str, int, tuple[int, int, int]], ...]:
    face = row.faces[0] if row.faces else None
    how = [face.template, face.color, face.pattern, face.wear, face.blend] if face else []
    more = f"+{len(row.faces) - 1} faces" if len(row.faces) > 1 else None
    name = f"{row.id}  #{row.variant}" if row.variant else row.id
    return (
        (f"{name}  {row.label or ''}", 12, _INK),
        ("  ".join(part for part in (*how, more) if part), 11, _FAINT),
    )


def _shortened(text: str, pen: ImageDraw.ImageDraw, size: int, width: int) -> str:
    """The text in one line; if too wide its start is cut, because the end of a path is more specific."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    while pen.textlength(text, _font(size)) > width and len(text) > 4:
        text = "..." + text[max(4, len(text) // 10) :]
    return text
