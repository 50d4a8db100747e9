"""Write the contact sheet ``preview.jpg``: source, masked image and alpha of sample rows."""

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.files.atomic import write_atomic
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import contained, leads_out
from maskgen.files.tar import folder_of
from maskgen.images.codec import decode, encode
from maskgen.images.grid import grid
from maskgen.records import Image, ManifestRow
from maskgen.results.manifest import evenly_spaced_rows
from maskgen.results.reader import Members

THUMBNAIL = 160
COLUMNS = 3
_WIDTH, _CAPTION, _GAP = 3 * THUMBNAIL + 2, 34, 8
_PAPER, _INK, _FAINT = (250, 250, 248), (20, 20, 20), (110, 110, 110)


def write_contact_sheet(out: Path, root: Path | None, samples: int = 24) -> Path | None:
    """Write ``OUT/preview.jpg``, and return its path; None, and no file, if nothing was masked.

    Each of the cells, evenly spread over the masked rows of the manifest, shows a face of the source, the
    same pixels masked, and the alpha: the alpha file if there is one, else the difference of the two images.
    The same result gives the same bytes. ``root`` of the sources is a folder, or a table or pattern in one.
    """
    results, sources = Members(out), Members(folder_of(root)) if root else None
    rows = evenly_spaced_rows(out / "manifest.jsonl", samples)
    cells = [cell for row in rows if (cell := _cell(results, sources, row)) is not None]
    path = out / "preview.jpg"
    if not cells:
        path.unlink(missing_ok=True)
        return None
    sheet = grid(cells, min(COLUMNS, len(cells)), _GAP, _PAPER[::-1])
    sheet = np.concatenate([sheet, sheet[:_GAP]])  # twice the gap at the bottom
    write_atomic(path, encode(sheet, None, "jpeg", 88).data)
    return path


def _cell(results: Members, sources: Members | None, row: ManifestRow) -> Image | None:
    """The thumbnails and caption of a row in BGR; None without its masked image."""
    masked = _read(results, row.file_name)
    if masked is None:
        return None
    source = _read(sources, row.source.get("path"))
    if source is not None and source.shape != masked.shape:
        source = None
    alpha = _read(results, row.faces[0].alpha_file if row.faces else None)
    if alpha is None and source is not None:
        # The encoder changes pixels by a few levels, the mask by many.
        difference = np.abs(source.astype(np.int16) - masked).max(axis=2)
        alpha = np.dstack([np.clip(4 * (difference - 8), 0, 255).astype(np.uint8)] * 3)
    window_ltrb = _window(row, masked.shape[1], masked.shape[0])
    cell = PillowImage.new("RGB", (_WIDTH + _GAP, THUMBNAIL + _CAPTION), _PAPER)
    for column, plane in enumerate((source, masked, alpha)):
        cell.paste(_thumbnail(plane, window_ltrb), (column * (THUMBNAIL + 1), 0))
    face = row.faces[0] if row.faces else None
    how = [face.template, face.color, face.pattern, face.wear, face.blend] if face else []
    more = f"+{len(row.faces) - 1} faces" if len(row.faces) > 1 else None
    name = f"{row.id}  #{row.variant}" if row.variant else row.id
    pen = ImageDraw.Draw(cell)
    _write(pen, THUMBNAIL + 3, f"{name}  {row.label or ''}", 12, _INK)
    _write(pen, THUMBNAIL + 18, "  ".join(part for part in (*how, more) if part), 11, _FAINT)
    return np.asarray(cell)[..., ::-1]


def _read(files: Members | None, text: str | None) -> Image | None:
    """An image file in BGR; None if it is absent, cannot be decoded, or lies outside of the folder.

    An untrusted manifest must not select other files of this machine.
    """
    name = from_text(text or "")
    try:
        if files is None or leads_out(name):
            return None
        return decode(files.read(contained(files.folder, name, "the manifest"))).bgr
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


def _thumbnail(bgr: Image | None, window_ltrb: tuple[int, int, int, int]) -> PillowImage.Image:
    tile = PillowImage.new("RGB", (THUMBNAIL, THUMBNAIL), (225, 225, 222))
    if bgr is None:
        middle, font = (THUMBNAIL / 2, THUMBNAIL / 2), ImageFont.load_default(12)
        ImageDraw.Draw(tile).text(middle, "not here", _FAINT, font, anchor="mm")
        return tile
    face = PillowImage.fromarray(np.ascontiguousarray(bgr[..., ::-1])).crop(window_ltrb)
    scale = THUMBNAIL / max(face.size)
    size = (max(round(face.width * scale), 1), max(round(face.height * scale), 1))
    face = face.resize(size, PillowImage.Resampling.LANCZOS)
    tile.paste(face, ((THUMBNAIL - size[0]) // 2, (THUMBNAIL - size[1]) // 2))
    return tile


def _write(pen: ImageDraw.ImageDraw, top: int, text: str, size: int, ink: tuple[int, int, int]) -> None:
    """Write one line; if too wide its start is cut, because the end of a path is more specific."""
    font = ImageFont.load_default(size)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    while pen.textlength(text, font) > _WIDTH and len(text) > 4:
        text = "..." + text[max(4, len(text) // 10) :]
    pen.text((0, top), text, ink, font)
