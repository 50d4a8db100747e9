"""Read and write the manifest ``manifest.jsonl``: one JSON line a row.

Rows depend only on the sources, the options, the versions and the kind of processor: two runs of the same
command give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.files.json_text import from_json, json_line
from maskgen.files.remote import open_lines
from maskgen.records import FaceRecord, ManifestRow
from maskgen.results.row_schema import check_row

SCHEMA = 1
LONGEST_LINE = 64 << 20  # bytes
_STATUS = re.compile(rb'"status":\s*"(\w+)"')

# In the order of a line; a face has the order of `FaceRecord`.
ROW_FIELDS = ("schema", *(field.name for field in fields(ManifestRow) if field.name != "schema"))


def row_to_json(row: ManifestRow) -> str:
    """The row as one JSON line without the line end; always valid UTF-8."""
    faces = [_face_values(face) for face in row.faces]
    return json_line({"schema": row.schema, **vars(row), "faces": faces})


def row_from_json(line: str) -> ManifestRow:
    """Parse a line of `row_to_json`.

    A `ConfigurationError` if it is not a row, has a newer schema, or names a file outside its folder.
    """
    try:
        values = from_json(line)
        check_row(values, SCHEMA)
        for face in values["faces"]:
            face |= {name: tuple(face[name]) for name in ("box", "mask_box")}
            face["landmarks"] = {name: tuple(point) for name, point in face["landmarks"].items()}
        values["faces"] = tuple(FaceRecord(**face) for face in values["faces"])
        return ManifestRow(**values)
    except ValueError as error:
        raise ConfigurationError(f"not a row of a manifest: {error}") from error


def read_manifest(path: Path) -> Iterator[ManifestRow]:
    """The rows of a manifest, as a stream; a `MissingDataError` if it is absent.

    A `ConfigurationError`, with file and line, if a line is not a row.
    """
    return _parse_rows(_lines(path), path)


def evenly_spaced_rows(path: Path, count: int) -> list[ManifestRow]:
    """At most ``count`` masked rows, evenly spread, in bounded memory; raises like `read_manifest`."""
    sample_lines: list[tuple[int, bytes]] = []
    stride = 1  # doubles when there are twice as many lines as wanted; every other one is then dropped
    for index, each in enumerate(each for each in _lines(path) if _is_masked(each[1])):
        if index % stride == 0:
            sample_lines.append(each)
            if len(sample_lines) > 2 * count:
                sample_lines, stride = sample_lines[::2], stride * 2
    if len(sample_lines) > count:
        step = (len(sample_lines) - 1) / max(count - 1, 1)
        sample_lines = [sample_lines[round(place * step)] for place in range(count)]
    return list(_parse_rows(sample_lines, path))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line number, from 1, and bytes of each line of a manifest."""
    try:
        file = open_lines(path)
    except FileNotFoundError as error:
        raise MissingDataError(f"{path} is not there; `maskgen synth` writes it when a run ends") from error
    with file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), start=1):
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                raise ConfigurationError(f"{path}, line {number}: expected at most {LONGEST_LINE} bytes")
            yield number, line


def _parse_rows(lines: Iterable[tuple[int, bytes]], path: Path) -> Iterator[ManifestRow]:
    for number, line in lines:
        try:
            row = row_from_json(line.decode())
        except (ConfigurationError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}, line {number}: {error}") from error
        yield row


def _is_masked(line: bytes) -> bool:
    """Whether a line is a masked row, or damaged, without parsing it (100 times faster)."""
    # Only numbers and text precede the status, and a quote inside text has a backslash before it.
    status = _STATUS.search(line)
    return status is None or status[1] == b"masked"


def _face_values(face: FaceRecord) -> dict[str, Any]:
    # Adding 0.0 turns -0.0 into 0.0.
    return vars(face) | {
        "coverage": {name: round(float(share), 3) + 0.0 for name, share in face.coverage.items()},
        "pose": {name: round(float(angle), 1) + 0.0 for name, angle in face.pose.items()},
        "landmarks": {
            name: [round(float(value), 2) + 0.0 for value in point] for name, point in face.landmarks.items()
        },
    }
