"""Write ``metadata.jsonl`` for Hugging Face's ImageFolder, from the manifest."""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from maskgen.files.atomic import open_atomic
from maskgen.files.json_text import json_line
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import entries
from maskgen.records import COVERED_PARTS, SPLIT_WORDS, SPLITS, ManifestRow
from maskgen.results.column_types import StableColumns
from maskgen.results.manifest import read_manifest

# Folders that Hugging Face's ImageFolder takes for splits, by the same words; it ignores a table above them.
_SPLIT_FOLDER = re.compile(f"(.*[-._ 0-9])?({'|'.join(SPLIT_WORDS)})([-._ 0-9].*)?", re.DOTALL)

_FACE_COLUMNS = ("template", "kind", "tone", "color", "pattern", "fit", "blend", "wear")


def metadata_tables(out: Path, layout: str) -> list[str]:
    """The names of the files that `write_metadata` may write below ``out``, after its images exist."""
    folders = ["all", *SPLITS] if layout == "folders" else []
    if layout == "mirror":
        tops = (entry.name for entry in entries(out) if entry.is_folder)
        folders = ["", *filter(_SPLIT_FOLDER.fullmatch, tops)]
    return [f"{to_text(folder)}/metadata.jsonl".lstrip("/") for folder in folders]


def write_metadata(out: Path, layout: str) -> list[Path]:
    """Write ``metadata.jsonl`` for Hugging Face's ImageFolder, and return the written files, sorted by name.

    Each written image has one line: its path as ``file_name``, label, split, identity, attributes, and the
    mask of its first face. With the layout "folders" each split's folder has a file, because ImageFolder
    ignores one above them; otherwise ``OUT`` and its top folders that look like splits have one. Paths are
    relative to that file. Each column has one type in all files: ImageFolder infers it from a few lines.

    ``unmasked_file_name`` and ``alpha_file_name`` make ImageFolder load these images too. With splits they
    lie outside the split's folder, which ImageFolder refuses; then ``unmasked_file`` and ``alpha_file`` name
    them as text, relative to ``OUT``.
    """
    stable, attributes = StableColumns(), set[str]()
    for folder, row in _masked_rows(out, layout):
        attributes.update(row.attributes)
        stable.add(folder, _columns(row, folder, row.attributes))
    written: dict[Path, BinaryIO] = {}
    with ExitStack() as files:
        for folder, row in _masked_rows(out, layout):
            path = out / from_text(folder) / "metadata.jsonl"
            if path not in written:
                written[path] = files.enter_context(open_atomic(path))
            line = json_line(stable.settle(_columns(row, folder, sorted(attributes))))
            written[path].write(f"{line}\n".encode())
    return sorted(written)


def _masked_rows(out: Path, layout: str) -> Iterator[tuple[str, ManifestRow]]:
    """Each masked row with the top folder whose table holds it; "" for the table of the whole result."""
    for row in read_manifest(out / "manifest.jsonl"):
        if row.status == "masked" and row.file_name:
            # An image at the top lies in no folder, whatever its name.
            folder = row.file_name.rpartition("/")[0].partition("/")[0]
            yield folder if layout == "folders" or _SPLIT_FOLDER.fullmatch(folder) else "", row


def _columns(row: ManifestRow, folder: str, attributes: Iterable[str]) -> dict[str, Any]:
    face = row.faces[0] if row.faces else None
    columns: dict[str, Any] = {
        "file_name": (row.file_name or "").removeprefix(f"{folder}/" if folder else ""),
        **{name: getattr(row, name) for name in ("id", "variant", "label", "split", "identity")},
        **{name: getattr(face, name, None) for name in _FACE_COLUMNS},
        **{f"coverage_{part}": face.coverage.get(part) if face else None for part in COVERED_PARTS},
        "faces": len(row.faces),
    }
    ending = "file" if folder else "file_name"
    if row.unmasked_file:
        columns[f"unmasked_{ending}"] = row.unmasked_file
    if face and face.alpha_file:
        columns[f"alpha_{ending}"] = face.alpha_file
    for name in attributes:
        # ImageFolder takes any column with this ending for an image.
        if not name.endswith("file_name"):
            columns[f"attribute_{name}" if name in columns else name] = row.attributes.get(name)
    return columns
