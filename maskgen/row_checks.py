"""Whether a line that calls itself a row of a manifest can be one: its types, and where its paths lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskgen.names import name_of
from maskgen.paths import leads_out
from maskgen.records import STATUSES

_NULL: type = type(None)
_TEXT: frozenset[type] = frozenset((str, _NULL))
_NUMBER: frozenset[type] = frozenset((int, _NULL))
# Exact types: to Python a bool would be a whole number too.
_ROW: Mapping[str, frozenset[type]] = {
    **dict.fromkeys(("schema", "variant", "seed"), frozenset((int,))),
    **dict.fromkeys(("id", "status"), frozenset((str,))),
    **dict.fromkeys(("reason", "file_name", "sha256", "label", "split", "identity", "unmasked_file"), _TEXT),
    **dict.fromkeys(("width", "height"), _NUMBER),
    **dict.fromkeys(("attributes", "source"), frozenset((dict,))),
    "faces": frozenset((list,)),
}
_FACE: Mapping[str, frozenset[type]] = {
    **dict.fromkeys(("box", "mask_box"), frozenset((list,))),
    **dict.fromkeys(("pose", "landmarks", "coverage"), frozenset((dict,))),
    **dict.fromkeys(("template", "template_sha256", "kind", "tone", "color", "pattern", "alpha_file"), _TEXT),
    **dict.fromkeys(("detection", "fit", "blend", "wear"), frozenset((str,))),
    "wear_agrees": frozenset((bool,)),
}
# Wide enough for any picture, and small enough to be computed with.
_LARGEST = 1e9


def check_row(values: Any) -> None:
    """See to it that these values, as JSON gives them, can be a row.

    Raises:
        ValueError: What is wrong, in words.
    """
    if not isinstance(values, dict):
        raise ValueError(f"expected an object, got a {type(values).__name__}")
    _check_types(values, _ROW)
    if values["status"] not in STATUSES:
        raise ValueError(f"status must be one of {', '.join(STATUSES)}, got {values['status']!r}")
    for name, value in values["source"].items():
        if type(value) not in _TEXT:
            raise ValueError(f"source.{name} must be text, got {value!r}")
    paths = {name: values.get(name) for name in ("file_name", "unmasked_file")}
    for index, face in enumerate(values["faces"]):
        if not isinstance(face, dict):
            raise ValueError(f"a face must be an object, got a {type(face).__name__}")
        _check_types(face, _FACE)
        _check_numbers(face)
        paths[f"faces[{index}].alpha_file"] = face.get("alpha_file")
    for name, path in paths.items():
        if path is not None and leads_out(name_of(path)):
            raise ValueError(f"{name} {path!r} leads out of the folder of the manifest")


def _check_types(values: Mapping[str, Any], expected: Mapping[str, frozenset[type]]) -> None:
    for name, types in expected.items():
        if name in values and type(values[name]) not in types:
            named = " or ".join(sorted(_NAMES.get(each, f"a {each.__name__}") for each in types))
            raise ValueError(f"{name} must be {named}, got {values[name]!r}")


def _check_numbers(face: Mapping[str, Any]) -> None:
    try:
        for name in ("box", "mask_box"):
            if name in face:
                x, y, width, height = face[name]
                _check_range(name, x, y, width, height)
        for name in ("pose", "coverage"):
            _check_range(name, *face.get(name, {}).values())
        for x, y in face.get("landmarks", {}).values():
            # In line: a manifest has a dozen of them in every row.
            if not (-_LARGEST < x < _LARGEST and -_LARGEST < y < _LARGEST):
                raise ValueError(f"landmarks must lie in a picture, got {(x, y)}")
    except TypeError as error:
        raise ValueError(f"boxes, pose, coverage and landmarks must be numbers: {error}") from error


def _check_range(name: str, *numbers: Any) -> None:
    for number in numbers:
        if not -_LARGEST < number < _LARGEST:
            raise ValueError(f"{name} has a number of no picture: {number!r}")


_NAMES = {str: "text", _NULL: "null", int: "a whole number", bool: "true or false"}
