"""Export a manifest as a flat table: one line a masked face, or one for an input without masked faces.

All lines have the same columns, for spreadsheets, pandas and databases.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from maskgen.errors import MissingExtraError
from maskgen.files.csv_text import row_writer
from maskgen.records import FaceRecord, ManifestRow
from maskgen.results.column_types import as_text, common_type, type_of
from maskgen.results.manifest import read_manifest

FORMATS = ("csv", "parquet")

_GROUP = 10_000  # lines in a row group of Parquet

_ROW = ("id", "variant", "status", "reason", "file_name", "unmasked_file", "sha256", "width", "height")
_LABELS = ("label", "split", "identity", "seed")
_BOX = ("x", "y", "width", "height")
_FACE = ("detection", "template", "kind", "tone", "color", "pattern", "fit", "blend", "wear", "wear_agrees")
_PARTS = ("nose", "mouth", "chin", "lower_face")
_NUMBERS = {"variant", "width", "height", "seed", "face", "tries"}


@dataclass(frozen=True)
class Column:
    """One column: its name, and its type as "text", "whole", "number" or "truth"."""

    name: str
    kind: str = "text"


def columns(manifest: Path) -> tuple[Column, ...]:
    """The columns of a manifest's table; reads the manifest once for attributes and their types.

    Raises:
        MissingDataError: The manifest is absent.
        ConfigurationError: A line is not a row.
    """
    kinds: dict[str, set[str]] = {}
    for row in read_manifest(manifest):
        for name, value in row.attributes.items():
            if value is not None:
                kinds.setdefault(name, set()).add(type_of(value))
    whole = {*_NUMBERS, *(f"{box}_{side}" for box in ("box", "mask") for side in _BOX)}
    numbers = {"yaw", "pitch", "roll", "occluded", *(f"coverage_{part}" for part in _PARTS)}
    typed = dict.fromkeys(whole, "whole") | dict.fromkeys(numbers, "number") | {"wear_agrees": "truth"}
    fixed = (Column(name, typed.get(name, "text")) for name in _names())
    return (*fixed, *(Column(f"attribute_{name}", common_type(kinds[name])) for name in sorted(kinds)))


def _names() -> tuple[str, ...]:
    return (
        *_ROW,
        *_LABELS,
        *("source_dataset", "source_path", "source_sha256", "face"),
        *(f"{box}_{side}" for box in ("box", "mask") for side in _BOX),
        *("yaw", "pitch", "roll"),
        *_FACE,
        *("tries", "occluded"),
        *(f"coverage_{part}" for part in _PARTS),
        "alpha_file",
    )


def lines(manifest: Path) -> Iterator[dict[str, Any]]:
    """The lines of the table as column -> value; missing values are omitted."""
    for row in read_manifest(manifest):
        values = _row_values(row)
        if not row.faces:
            yield values
        for number, face in enumerate(row.faces):
            yield {**values, "face": number, **_face_values(face)}


def _row_values(row: ManifestRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in (*_ROW, *_LABELS)}
    values |= {f"source_{name}": row.source.get(name) for name in ("dataset", "path", "sha256")}
    return values | {f"attribute_{name}": value for name, value in row.attributes.items()}


def _face_values(face: FaceRecord) -> dict[str, Any]:
    values = {name: getattr(face, name) for name in (*_FACE, "tries", "occluded", "alpha_file")}
    values |= {f"box_{side}": value for side, value in zip(_BOX, face.box, strict=True)}
    values |= {f"mask_{side}": value for side, value in zip(_BOX, face.mask_box, strict=True)}
    return {**values, **face.pose, **{f"coverage_{part}": share for part, share in face.coverage.items()}}


def write_csv(manifest: Path, file: IO[bytes]) -> int:
    """Write the table as CSV in UTF-8, and return the number of lines.

    No cell starts a spreadsheet formula (see `maskgen.files.csv_text`).
    """
    heads = columns(manifest)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    write_row = row_writer(text)
    write_row(column.name for column in heads)
    count = 0
    try:
        for count, line in enumerate(lines(manifest), 1):  # noqa: B007
            write_row(_cell(line.get(column.name), column) for column in heads)
    finally:
        text.detach()
    return count


def write_parquet(manifest: Path, file: IO[bytes]) -> int:
    """Write the table as Parquet, and return the number of lines.

    Raises:
        MissingExtraError: pyarrow is absent, or does not fit the installed numpy.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f"Parquet needs pyarrow ({error}): pip install 'maskgen[parquet]'") from error
    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "truth": pyarrow.bool_(),
    }
    heads = columns(manifest)
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in heads])
    count = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        table = lines(manifest)
        while part := list(islice(table, _GROUP)):
            arrays = [_array(part, column) for column in heads]
            writer.write_table(pyarrow.table(arrays, schema=schema))
            count += len(part)
    return count


def _array(part: Sequence[dict[str, Any]], column: Column) -> list[Any]:
    values: Iterable[Any] = (line.get(column.name) for line in part)
    return [value if value is None or column.kind != "text" else as_text(value) for value in values]


def _cell(value: Any, column: Column) -> Any:
    if value is None:
        return ""
    if column.kind == "truth":
        return "true" if value else "false"
    return as_text(value) if column.kind == "text" else value
