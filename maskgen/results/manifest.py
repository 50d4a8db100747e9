"""Read, write and validate the manifest ``manifest.jsonl``: one JSON line a row.

Rows depend only on the sources, the options, the versions and the kind of processor: two runs of the same
command give the same bytes.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.face_mesh import ANCHORS
from maskgen.files.json_text import DEEPEST, LONGEST_TEXT, fitting, from_json, json_line
from maskgen.files.path_text import from_text
from maskgen.files.remote import open_lines
from maskgen.files.safe_paths import leads_out
from maskgen.records import COVERED_PARTS, SPLITS, STATUSES, WEARS, FaceRecord, ManifestRow

SCHEMA = 1
LONGEST_LINE = 64 << 20  # bytes
LONGEST_PATH = 4_096  # characters, as Linux has it
_LARGEST = 1e9  # enough for any image, and exact in float arithmetic
_SURROGATES = re.compile("[\ud800-\udfff]")
UNTIDY = re.compile(r"//|/$|(?:^|/)\.(?:/|$)")
_shown = reprlib.Repr()
_shown.maxstring, _shown.maxother, _shown.maxlong = 80, 80, 40
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
        _check_row(values)
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


# Any program may have written the rows, so that each field has a rule.


class _Rule(NamedTuple):
    """The rule of a field: the expected value in words, and a test of a JSON value."""

    expected: str
    holds: Callable[[Any], bool]

    def or_null(self) -> _Rule:
        """The same rule, with null allowed."""
        return _Rule(f"null or {self.expected}", lambda value: value is None or self.holds(value))


def _is_text(value: Any) -> bool:
    # Exact types here and below: in Python a bool is an int too.
    is_short = type(value) is str and len(value) <= LONGEST_TEXT
    return is_short and (value.isascii() or not _SURROGATES.search(value))


def _is_path(value: Any) -> bool:
    if not _is_text(value) or len(value) > LONGEST_PATH:
        return False
    name = from_text(value)
    return not leads_out(name) and not UNTIDY.search(name)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -_LARGEST < value < _LARGEST


def _is_score(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_list(value: Any, length: int) -> bool:
    return type(value) is list and len(value) == length and all(map(_is_number, value))


def _is_box(value: Any) -> bool:
    return _is_list(value, 4) and {*map(type, value)} == {int} and min(value[2:]) >= 0


def _is_json(value: Any) -> bool:
    """Whether a JSON value can be written again: finite numbers, valid text, limited depth."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return bool(fitting(value) == value)


def _whole(smallest: int, largest: int) -> _Rule:
    words = f"a whole number from {smallest} to {largest}"
    return _Rule(words, lambda value: type(value) is int and smallest <= value <= largest)


def _one_of(values: tuple[str, ...]) -> _Rule:
    return _Rule(f"one of {', '.join(values)}", lambda value: type(value) is str and value in values)


def _each(keys: frozenset[str], words: str, holds: Callable[[Any], bool]) -> _Rule:
    return _Rule(
        f"an object of {words}, with keys from {', '.join(sorted(keys))}",
        lambda value: type(value) is dict and value.keys() <= keys and all(map(holds, value.values())),
    )


_TEXT = _Rule(f"valid text of at most {LONGEST_TEXT} characters", _is_text)
_TEXT_OR_NULL = _TEXT.or_null()
_PATH = _Rule(
    f"a path below the folder of the manifest, of at most {LONGEST_PATH} characters, without '.' and '..'",
    _is_path,
).or_null()

_ROW: Mapping[str, _Rule] = {
    "schema": _Rule("anything", lambda value: True),  # checked in `_check_row`
    "id": _TEXT,
    "variant": _whole(0, 2**31 - 1),
    "status": _one_of(STATUSES),
    **dict.fromkeys(("reason", "sha256", "label", "identity"), _TEXT_OR_NULL),
    **dict.fromkeys(("file_name", "unmasked_file"), _PATH),
    **dict.fromkeys(("width", "height"), _whole(1, int(_LARGEST)).or_null()),
    "split": _one_of(SPLITS).or_null(),
    "attributes": _Rule(
        f"an object of valid text and finite numbers, at most {DEEPEST} deep",
        lambda value: type(value) is dict and _is_json(value),
    ),
    "source": _Rule(
        "an object of texts and nulls",
        lambda value: type(value) is dict and all(map(_TEXT_OR_NULL.holds, (*value, *value.values()))),
    ),
    "faces": _Rule("a list", lambda value: type(value) is list),
    "seed": _whole(-(2**63), 2**63 - 1),
}
_FACE: Mapping[str, _Rule] = {
    **dict.fromkeys(("box", "mask_box"), _Rule("x, y, width and height in whole pixels", _is_box)),
    "pose": _each(frozenset(("yaw", "pitch", "roll")), "angles in degrees", _is_number),
    "landmarks": _each(frozenset(ANCHORS), "points x, y in pixels", lambda value: _is_list(value, 2)),
    "coverage": _each(frozenset(COVERED_PARTS), "shares", _is_number),
    **dict.fromkeys(("template", "template_sha256", "kind", "tone", "color", "pattern"), _TEXT_OR_NULL),
    "alpha_file": _PATH,
    **dict.fromkeys(("detection", "fit", "blend"), _TEXT),
    "wear": _one_of(WEARS),
    "wear_agrees": _Rule("true or false", lambda value: type(value) is bool),
    "tries": _whole(0, 2**31 - 1),
    "occluded": _Rule("a number between -1e9 and 1e9", _is_number),
    **dict.fromkeys(("mesh_score", "mask_score"), _Rule("a score from 0 to 1", _is_score).or_null()),
}
_OPTIONAL = frozenset(("unmasked_file", "alpha_file", "mesh_score", "mask_score"))


def _check_row(values: Any) -> None:
    """Validate the JSON value of a manifest row, of a schema up to `SCHEMA`.

    A `ValueError` has the expected and the actual value of the first wrong field.
    """
    if type(values) is not dict:
        raise ValueError(f"expected an object, got {_shown.repr(values)}")
    schema = values.get("schema")
    if type(schema) is not int or schema < 1:
        raise ValueError(f"schema: expected a whole number from 1 to {SCHEMA}, got {_shown.repr(schema)}")
    if schema > SCHEMA:
        raise ValueError(f"schema {_shown.repr(schema)}, this version of maskgen knows {SCHEMA}: update it")
    _check_fields(values, _ROW, "")
    for number, face in enumerate(values["faces"]):
        if type(face) is not dict:
            raise ValueError(f"faces[{number}]: expected an object, got {_shown.repr(face)}")
        _check_fields(face, _FACE, f"faces[{number}].")


def _check_fields(values: Mapping[str, Any], rules: Mapping[str, _Rule], where: str) -> None:
    if not values.keys() <= rules.keys():
        unknown = min(values.keys() - rules.keys())
        raise ValueError(f"{where}{_shown.repr(unknown)}: expected no field of this name")
    for name, rule in rules.items():
        if name not in values:
            if name not in _OPTIONAL:
                raise ValueError(f"{where}{name}: expected {rule.expected}, and it is not there")
            continue
        if not rule.holds(values[name]):
            raise ValueError(f"{where}{name}: expected {rule.expected}, got {_shown.repr(values[name])}")
