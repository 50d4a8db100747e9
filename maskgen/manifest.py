"""The manifest and the run record: rows as JSON lines, and what it takes to make a result again.

All of it is a function of the sources, the options, the versions and the kind of processor alone: no time, no
name of a machine, no number of workers. Two runs of the same command give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import partial
from importlib import metadata
from operator import attrgetter
from pathlib import Path
from typing import Any

import maskgen
from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.names import text_of
from maskgen.plain_json import from_json
from maskgen.records import FaceRecord, ManifestRow
from maskgen.row_checks import check_row
from maskgen.stores import open_lines

SCHEMA = 1
LONGEST_LINE = 64 << 20  # bytes

# The names of a row's fields in the order of the line; those of a face are in the order of `FaceRecord`.
ROW_FIELDS = (
    *("schema", "id", "variant", "status", "reason", "file_name", "sha256", "width", "height", "label"),
    *("split", "identity", "attributes", "source", "faces", "seed", "unmasked_file"),
)
FACE_FIELDS = tuple(field.name for field in fields(FaceRecord))

_row_values, _face_fields = attrgetter(*ROW_FIELDS), attrgetter(*FACE_FIELDS)
_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

# Legal inside JSON, but ends of line to Python's `splitlines` and to JavaScript.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def row_to_json(row: ManifestRow) -> str:
    """The row as one line of JSON, without the line's end; the text is valid UTF-8 whatever the row holds."""
    values = dict(zip(ROW_FIELDS, _row_values(row), strict=True))
    values["faces"] = [_face_values(face) for face in row.faces]
    return json_line(values)


def row_from_json(line: str) -> ManifestRow:
    """The row that `row_to_json` wrote, numbers rounded as there.

    Raises:
        ConfigurationError: The line is no row, names a file outside of the manifest's folder, or is of a
            newer schema than this version's.
    """
    try:
        values = from_json(line)
        check_row(values, SCHEMA)
        values["faces"] = tuple(_face_record(face) for face in values["faces"])
        return ManifestRow(**values)
    except ValueError as error:
        raise ConfigurationError(f"not a row of a manifest: {error}") from error


def read_manifest(path: Path) -> Iterator[ManifestRow]:
    """The rows of a manifest one after the other, whatever its length.

    Raises:
        MissingDataError: The file is not there.
        ConfigurationError: A line is no row; the message names file and line.
    """
    return (row for _, row in _rows(lines(path), path))


def spread_rows(path: Path, count: int) -> list[ManifestRow]:
    """At most ``count`` of a manifest's masked rows, evenly spread over all of them, in bounded memory.

    Every stride-th line is kept; whenever twice ``count`` are, every other one goes and the stride doubles.

    Raises:
        MissingDataError: The file is not there.
        ConfigurationError: A line is no row; the message names file and line.
    """
    kept: list[tuple[int, bytes]] = []
    stride, index = 1, 0
    for number, line in lines(path):
        if not is_masked(line):
            continue
        if index % stride == 0:
            kept.append((number, line))
            if len(kept) > 2 * count:
                kept, stride = kept[::2], stride * 2
        index += 1
    if len(kept) > count:
        step = (len(kept) - 1) / max(count - 1, 1)
        kept = [kept[round(place * step)] for place in range(count)]
    return [row for _, row in _rows(kept, path)]


def fingerprint(options: Mapping[str, Any]) -> str:
    """A sha256 in hex that is the same for the same options, in whatever order they come."""
    canonical = json.dumps(options, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What changed from one configuration to another, one sentence for each option, in alphabetical order.

    Options inside others are named with dots: ``versions.numpy was "1.26.4", now "2.0.0"``.
    """
    found: list[str] = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{prefix}{name}.")
        elif _plain(before) != _plain(after) or (name in old) != (name in new):
            texts = (
                json.dumps(values[name], ensure_ascii=False) if name in values else "not there"
                for values in (old, new)
            )
            found.append("{} was {}, now {}".format(f"{prefix}{name}", *texts))
    return found


def run_record(
    *,
    command: str,
    options: Mapping[str, Any],
    seed: int,
    templates: Mapping[str, str],
    counts: Mapping[str, Any],
    source: Mapping[str, Any],
    landmark_model: Mapping[str, Any] | None = None,
    processors: Sequence[str] = (),
) -> dict[str, Any]:
    """The content of ``maskgen.json``: what it takes to make this result again, and what came of it.

    Args:
        command: The command with every option that decides the bytes, and no other.
        options: All options as resolved, as JSON values.
        seed: Where every draw started.
        templates: Name -> sha256 of each template in use.
        counts: What became of the inputs.
        source: What is known of the dataset: title, homepage, licence, citation.
        landmark_model: Which one found the faces, and the sha256 of its files.
        processors: Kinds of processor that did it; two of one kind give the same bytes.
    """
    return {
        "schema": SCHEMA,
        "command": command,
        "options": dict(options),
        "fingerprint": fingerprint(options),
        "seed": seed,
        "versions": versions(),
        "processors": list(processors),
        "templates": dict(sorted(templates.items())),
        "landmark_model": dict(landmark_model or {}),
        "source": dict(source),
        "counts": dict(counts),
    }


def versions() -> dict[str, str]:
    """The versions that may decide bytes, asked of the installer and so without importing any of them."""
    found = {"maskgen": maskgen.__version__, "python": platform.python_version()}
    for name, distributions in {
        "numpy": ("numpy",),
        "opencv": ("opencv-python", "opencv-contrib-python", "opencv-python-headless"),
        "mediapipe": ("mediapipe",),
        "pillow": ("pillow",),
        "scipy": ("scipy",),
    }.items():
        found[name] = next(filter(None, map(_version, distributions)), "not installed")
    return found


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number, from 1, and bytes of each line of a manifest.

    Raises:
        MissingDataError: The file is not there.
        ConfigurationError: A line is longer than any row.
    """
    try:
        file = open_lines(path)
    except FileNotFoundError as error:
        raise MissingDataError(f"{path} is not there; `maskgen synth` writes it when a run ends") from error
    with file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), start=1):
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                raise ConfigurationError(f"{path}, line {number}: expected at most {LONGEST_LINE} bytes")
            yield number, line


def _rows(lines: Iterable[tuple[int, bytes]], path: Path) -> Iterator[tuple[int, ManifestRow]]:
    for number, line in lines:
        try:
            row = row_from_json(line.decode())
        except (ConfigurationError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}, line {number}: {error}") from error
        yield number, row


def is_masked(line: bytes) -> bool:
    """Whether a line is a masked row: told without parsing it, which takes a hundred times as long."""
    # Only numbers and text stand before the status, and inside of text a quote has a backslash before it.
    place = line.find(b'"status": "')
    if place >= 0:
        return line.startswith(b'masked"', place + len(b'"status": "'))
    # Of another program's hand, or damaged; the latter is told when it is read as a row.
    with suppress(ValueError, AttributeError, RecursionError):
        return bool(json.loads(line).get("status") == "masked")
    return True


def _face_values(face: FaceRecord) -> dict[str, Any]:
    values = dict(zip(FACE_FIELDS, _face_fields(face), strict=True))
    # Adding 0.0 makes 0.0 of -0.0.
    values["coverage"] = {name: round(float(share), 3) + 0.0 for name, share in face.coverage.items()}
    values["pose"] = {name: round(float(angle), 1) + 0.0 for name, angle in face.pose.items()}
    values["landmarks"] = {
        name: [round(float(x), 2) + 0.0, round(float(y), 2) + 0.0] for name, (x, y) in face.landmarks.items()
    }
    return values


def _face_record(values: Mapping[str, Any]) -> FaceRecord:
    tuples: dict[str, Any] = {name: tuple(values[name]) for name in ("box", "mask_box")}
    tuples["landmarks"] = {name: tuple(point) for name, point in values["landmarks"].items()}
    return FaceRecord(**{**values, **tuples})


def _plain(value: Any) -> Any:
    """The value as it is after a way through JSON, so that a tuple equals the list it was written as."""
    return json.loads(json.dumps(value))


def _finite(value: Any) -> Any:
    """The value with every NaN and infinity, which JSON lacks, as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, (list, tuple)) else value


def json_line(values: Mapping[str, Any]) -> str:
    """One line of JSON, without the line's end; valid UTF-8 whatever the values hold."""
    try:
        text = _to_json(values)
    except ValueError:
        text = _to_json(_finite(values))
    if text.isascii():
        return text
    text = _LINE_ENDS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    text = _UNDECODABLE.sub(lambda match: text_of(match[0]), text)
    return _SURROGATES.sub("\ufffd", text)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
