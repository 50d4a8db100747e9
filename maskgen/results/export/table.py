"""Export a manifest as a flat table: one line a masked face, or one for an input without masked faces.

All lines have the same columns, for spreadsheets, pandas and databases.
"""

import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from maskgen.errors import MissingExtraError
from maskgen.files.csv_text import row_writer
from maskgen.records import COVERED_PARTS
from maskgen.results.column_types import as_text, common_type, type_of
from maskgen.results.manifest import read_manifest

_GROUP = 10_000  # lines in a row group of Parquet

_ROW = (
    *("id", "variant", "status", "reason", "file_name", "unmasked_file", "sha256", "width", "height"),
    *("label", "split", "identity", "seed"),
)
_SOURCE = ("dataset", "path", "sha256")
_BOXES = tuple(f"{box}_{side}" for box in ("box", "mask") for side in ("x", "y", "width", "height"))
_POSE = ("yaw", "pitch", "roll")
_FACE = (
    *("detection", "template", "kind", "tone", "color", "pattern", "fit", "blend", "wear", "wear_agrees"),
    *("tries", "occluded", "mesh_score", "mask_score"),
)
_COVERAGES = tuple(f"coverage_{part}" for part in COVERED_PARTS)
_FIXED = (
    *(*_ROW, *(f"source_{name}" for name in _SOURCE), "face"),
    *(*_BOXES, *_POSE, *_FACE, *_COVERAGES, "alpha_file"),
)
_KINDS = {
    **dict.fromkeys(("variant", "width", "height", "seed", "face", "tries", *_BOXES), "whole"),
    **dict.fromkeys((*_POSE, "occluded", "mesh_score", "mask_score", *_COVERAGES), "number"),
    "wear_agrees": "truth",
}


def columns(manifest: Path) -> dict[str, str]:
    """Name -> type of each column: "text", "whole", "number" or "truth"; raises like `read_manifest`."""
    kinds: dict[str, set[str]] = {}
    for row in read_manifest(manifest):
        for name, value in row.attributes.items():
            if value is not None:
                kinds.setdefault(name, set()).add(type_of(value))
    fixed = {name: _KINDS.get(name, "text") for name in _FIXED}
    return fixed | {f"attribute_{name}": common_type(kinds[name]) for name in sorted(kinds)}


def lines(manifest: Path) -> Iterator[dict[str, Any]]:
    """The lines of the table as column -> value; missing values are omitted."""
    for row in read_manifest(manifest):
        values = {name: getattr(row, name) for name in _ROW}
        values |= {f"source_{name}": row.source.get(name) for name in _SOURCE}
        values |= {f"attribute_{name}": value for name, value in row.attributes.items()}
        if not row.faces:
            yield values
        for number, face in enumerate(row.faces):
            boxes = dict(zip(_BOXES, (*face.box, *face.mask_box), strict=True))
            line = {**values, "face": number, **boxes, **face.pose}
            line |= {name: getattr(face, name) for name in (*_FACE, "alpha_file")}
            yield line | {f"coverage_{part}": share for part, share in face.coverage.items()}


def write_csv(manifest: Path, file: IO[bytes]) -> int:
    """Write the table as CSV without spreadsheet formulas (`maskgen.files.csv_text`); returns the lines."""
    heads = columns(manifest)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    write_row = row_writer(text)
    write_row(heads)
    count = 0
    try:
        for count, line in enumerate(lines(manifest), 1):  # noqa: B007
            cells = [_typed(line.get(name), kind) for name, kind in heads.items()]
            # As JSON has them; None becomes an empty cell.
            write_row(json.dumps(cell) if isinstance(cell, bool) else cell for cell in cells)
    finally:
        text.detach()
    return count


def write_parquet(manifest: Path, file: IO[bytes]) -> int:
    """Write the table as Parquet, and return the number of lines."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f"Parquet needs pyarrow ({error}): pip install 'maskgen[parquet]'") from error
    types = {"text": "string", "whole": "int64", "number": "float64", "truth": "bool"}
    heads = columns(manifest)
    schema = pyarrow.schema({name: types[kind] for name, kind in heads.items()})
    count, table = 0, lines(manifest)
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        while part := list(islice(table, _GROUP)):
            arrays = [[_typed(line.get(name), kind) for line in part] for name, kind in heads.items()]
            writer.write_table(pyarrow.table(arrays, schema=schema))
            count += len(part)
    return count


def _typed(value: Any, kind: str) -> Any:
    return as_text(value) if kind == "text" and value is not None else value
