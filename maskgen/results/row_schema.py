"""Validate the rows of a manifest, which any program may have written."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from maskgen.face_mesh import ANCHORS
from maskgen.files.json_text import DEEPEST, LONGEST_TEXT, fitting
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import leads_out
from maskgen.records import COVERED_PARTS, SPLITS, STATUSES, WEARS

LONGEST_PATH = 4_096  # characters, as Linux has it
_LARGEST = 1e9  # enough for any image, and exact in float arithmetic
_SURROGATES = re.compile("[\ud800-\udfff]")
UNTIDY = re.compile(r"//|/$|(?:^|/)\.(?:/|$)")
_shown = reprlib.Repr()
_shown.maxstring, _shown.maxother, _shown.maxlong = 80, 80, 40


class Rule(NamedTuple):
    """The rule of a field: the expected value in words, and a test of a JSON value."""

    expected: str
    holds: Callable[[Any], bool]

    def or_null(self) -> Rule:
        """The same rule, with null allowed."""
        return Rule(f"null or {self.expected}", lambda value: value is None or self.holds(value))


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


def _whole(smallest: int, largest: int) -> Rule:
    words = f"a whole number from {smallest} to {largest}"
    return Rule(words, lambda value: type(value) is int and smallest <= value <= largest)


def _one_of(values: tuple[str, ...]) -> Rule:
    return Rule(f"one of {', '.join(values)}", lambda value: type(value) is str and value in values)


def _each(keys: frozenset[str], words: str, holds: Callable[[Any], bool]) -> Rule:
    return Rule(
        f"an object of {words}, with keys from {', '.join(sorted(keys))}",
        lambda value: type(value) is dict and value.keys() <= keys and all(map(holds, value.values())),
    )


_TEXT = Rule(f"valid text of at most {LONGEST_TEXT} characters", _is_text)
_TEXT_OR_NULL = _TEXT.or_null()
_PATH = Rule(
    f"a path below the folder of the manifest, of at most {LONGEST_PATH} characters, without '.' and '..'",
    _is_path,
).or_null()

_ROW: Mapping[str, Rule] = {
    "schema": Rule("anything", lambda value: True),  # checked in `check_row`
    "id": _TEXT,
    "variant": _whole(0, 2**31 - 1),
    "status": _one_of(STATUSES),
    **dict.fromkeys(("reason", "sha256", "label", "identity"), _TEXT_OR_NULL),
    **dict.fromkeys(("file_name", "unmasked_file"), _PATH),
    **dict.fromkeys(("width", "height"), _whole(1, int(_LARGEST)).or_null()),
    "split": _one_of(SPLITS).or_null(),
    "attributes": Rule(
        f"an object of valid text and finite numbers, at most {DEEPEST} deep",
        lambda value: type(value) is dict and _is_json(value),
    ),
    "source": Rule(
        "an object of texts and nulls",
        lambda value: type(value) is dict and all(map(_TEXT_OR_NULL.holds, (*value, *value.values()))),
    ),
    "faces": Rule("a list", lambda value: type(value) is list),
    "seed": _whole(-(2**63), 2**63 - 1),
}
_FACE: Mapping[str, Rule] = {
    **dict.fromkeys(("box", "mask_box"), Rule("x, y, width and height in whole pixels", _is_box)),
    "pose": _each(frozenset(("yaw", "pitch", "roll")), "angles in degrees", _is_number),
    "landmarks": _each(frozenset(ANCHORS), "points x, y in pixels", lambda value: _is_list(value, 2)),
    "coverage": _each(frozenset(COVERED_PARTS), "shares", _is_number),
    **dict.fromkeys(("template", "template_sha256", "kind", "tone", "color", "pattern"), _TEXT_OR_NULL),
    "alpha_file": _PATH,
    **dict.fromkeys(("detection", "fit", "blend"), _TEXT),
    "wear": _one_of(WEARS),
    "wear_agrees": Rule("true or false", lambda value: type(value) is bool),
    "tries": _whole(0, 2**31 - 1),
    "occluded": Rule("a number between -1e9 and 1e9", _is_number),
}
_OPTIONAL = frozenset(("unmasked_file", "alpha_file"))


def check_row(values: Any, newest: int) -> None:
    """Validate the JSON value of a manifest row, of a schema up to the newest one.

    A `ValueError` has the expected and the actual value of the first wrong field.
    """
    if type(values) is not dict:
        raise ValueError(f"expected an object, got {_shown.repr(values)}")
    schema = values.get("schema")
    if type(schema) is not int or schema < 1:
        raise ValueError(f"schema: expected a whole number from 1 to {newest}, got {_shown.repr(schema)}")
    if schema > newest:
        raise ValueError(f"schema {_shown.repr(schema)}, this version of maskgen knows {newest}: update it")
    _check_fields(values, _ROW, "")
    for number, face in enumerate(values["faces"]):
        if type(face) is not dict:
            raise ValueError(f"faces[{number}]: expected an object, got {_shown.repr(face)}")
        _check_fields(face, _FACE, f"faces[{number}].")


def _check_fields(values: Mapping[str, Any], rules: Mapping[str, Rule], where: str) -> None:
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
