"""Write the page ``browse.html`` of a result."""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from html import escape
from itertools import islice
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import cv2

from maskgen.errors import AnnotationError, MissingDataError, UnreadableImageError
from maskgen.files.atomic import write_atomic
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import open_lines
from maskgen.images.codec import decode, encode
from maskgen.records import FaceRecord, Image, ManifestRow
from maskgen.results.layout import BROWSE_PAGE, PACKED
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import ResultFiles, tar_of
from maskgen.results.run_record import read_record

THUMBNAIL = 168  # longest side of an embedded image, in pixels
_FOLDER = Path(__file__).parent
_FACE_FIELDS = (
    *("template", "kind", "tone", "color", "pattern", "wear", "wear_agrees", "blend", "detection"),
    *("occluded", "coverage", "pose"),
)
# In a script element only these can end it or begin a comment; as escapes they are the same JSON.
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def write_page(out: Path, page: Path | None = None, *, limit: int = 10_000, embed: bool = False) -> Path:
    """Write the page of a result, and return its path.

    Args:
        out: The output folder of a run.
        page: The file to write; by default ``OUT/browse.html``.
        limit: The most rows on the page; of a longer manifest they are evenly spaced.
        embed: Put small copies of the images into the page instead of links, so that it can be moved. Images
            in tars are always embedded.

    Raises:
        MissingDataError: There is no manifest.
        ConfigurationError: A line of the manifest is not a row.
    """
    page, manifest = page or out / BROWSE_PAGE, out / "manifest.jsonl"
    total = _count_lines(manifest)
    every = max(1, -(-total // limit))
    packed = (read_record(out).get("options") or {}).get("layout") == PACKED
    files = ResultFiles(out, packed)

    def url(name: str | None) -> str | None:
        if name is None:
            return None
        return _embedded(files, name) if embed or (packed and tar_of(name)) else _link(name)

    data = {
        "name": to_text(out.absolute().name),
        "total": total,
        "every": every,
        "rows": [_values(row, url) for row in islice(read_manifest(manifest), 0, None, every)],
    }
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = Template((_FOLDER / "page.html").read_text(encoding="utf-8"))
    text = template.substitute(
        title=escape(str(data["name"])),
        policy="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'",
        data=json.dumps(data, separators=(",", ":")).translate(_ESCAPED),
        script=script,
    )
    write_atomic(page, text.encode())
    return page


def _count_lines(manifest: Path) -> int:
    try:
        with open_lines(manifest) as lines:
            return sum(1 for _ in lines)
    except FileNotFoundError as error:
        raise MissingDataError(
            f"{manifest} is not there; `maskgen synth` writes it when a run ends"
        ) from error


def _values(row: ManifestRow, url: Callable[[str | None], str | None]) -> dict[str, Any]:
    """What the page has of a row; `page.js` reads these names."""
    names = ("id", "variant", "status", "reason", "label", "split", "identity", "attributes")
    return {
        **{name: getattr(row, name) for name in names},
        "image": url(row.file_name),
        "unmasked": url(row.unmasked_file),
        "faces": [_face_values(face) for face in row.faces],
    }


def _face_values(face: FaceRecord) -> dict[str, Any]:
    return {name: getattr(face, name) for name in _FACE_FIELDS}


def _link(name: str) -> str:
    """The relative URL of a file, by its manifest name; no part of it can be a scheme or a host."""
    return "./" + quote(os.fsencode(from_text(name)))


def _embedded(files: ResultFiles, name: str) -> str | None:
    """A small copy of an image as a ``data:`` URL; None if it cannot be read."""
    with suppress(OSError, AnnotationError, UnreadableImageError):
        small = _thumbnail(decode(files.read(name)).bgr)
        return "data:image/jpeg;base64," + base64.b64encode(encode(small, None, "jpeg", 80).data).decode()
    return None


def _thumbnail(bgr: Image) -> Image:
    height, width = bgr.shape[:2]
    scale = THUMBNAIL / max(height, width)
    if scale >= 1:
        return bgr
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
