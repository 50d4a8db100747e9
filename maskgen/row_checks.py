"""Whether a line that calls itself a row of a manifest can be one: its types, and where its paths lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskgen.names import name_of
from maskgen.paths import leads_out
from maskgen.records import STATUSES

_TEXT = (str, type(None))
_NUMBER = (int, type(None))
_ROW: Mapping[str, tuple[type, ...]] = {
    **{"schema": (int,), "id": (str,), "variant": (int,), "status": (str,), "reason": _TEXT},
    **{"file_name": _TEXT, "sha256": _TEXT, "width": _NUMBER, "height": _NUMBER, "label": _TEXT},
    **{"split": _TEXT, "identity": _TEXT, "attributes": (dict,), "source": (dict,), "faces": (list,)},
    **{"seed": (int,), "unmasked_file": _TEXT},
}
_FACE: Mapping[str, tuple[type, ...]] = {
    **{"box": (list,), "mask_box": (list,), "pose": (dict,), "landmarks": (dict,), "coverage": (dict,)},
    **dict.fromkeys(("template", "template_sha256", "kind", "tone", "color", "pattern", "alpha_file"), _TEXT),
    **dict.fromkeys(("detection", "fit", "blend", "wear"), (str,)),
    "wear_agrees": (bool,),
}


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
        if not isinstance(value, _TEXT):
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


def _check_types(values: Mapping[str, Any], expected: Mapping[str, tuple[type, ...]]) -> None:
    for name, types in expected.items():
        value = values.get(name)
        # To Python a bool is a number.
        if name in values and (
            not isinstance(value, types) or (isinstance(value, bool) and bool not in types)
        ):
            raise ValueError(f"{name} must be {' or '.join(map(_named, types))}, got {value!r}")


def _check_numbers(face: Mapping[str, Any]) -> None:
    for name in ("box", "mask_box"):
        if name in face and not _numbers(face[name], 4):
            raise ValueError(f"{name} must be four numbers, got {face[name]!r}")
    for name in ("pose", "coverage"):
        values = list(face.get(name, {}).values())
        if not _numbers(values, len(values)):
            raise ValueError(f"{name} must hold numbers, got {face[name]!r}")
    for anchor, point in face.get("landmarks", {}).items():
        if not _numbers(point, 2):
            raise ValueError(f"landmarks.{anchor} must be two numbers, got {point!r}")


def _numbers(values: Any, count: int) -> bool:
    # Wide enough for any picture, and small enough to be computed with.
    return (
        isinstance(values, Sequence)
        and len(values) == count
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < 1e9 for v in values)
    )


def _named(kind: type) -> str:
    return {"str": "text", "NoneType": "null", "int": "a whole number", "bool": "true or false"}.get(
        kind.__name__, f"a {kind.__name__}"
    )
