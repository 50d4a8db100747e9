"""Parse the labels beside an image in a tar: a JSON object, a class, or a row of maskgen's manifest.

In an object, ``gender`` (or ``sex``), ``split``, ``identity`` and ``note`` have their own meaning, and every
other plain value becomes an attribute; lists and objects are dropped. ``.cls`` becomes the attribute ``cls``.
In tars of `maskgen.results.output_files`, ``.json`` is a row (of earlier versions, an object of attributes).
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from maskgen.errors import AnnotationError
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import refuse_escape
from maskgen.files.suffixes import is_image_name
from maskgen.files.text_files import decode_text
from maskgen.records import SPLITS, gender_of, split_of

# Many programs write NaN and infinity, which are not JSON, for missing values.
_DECODER = json.JSONDecoder(parse_constant=lambda constant: None)

# Members beside the image that `maskgen synth` writes: KEY.alpha.png and KEY.unmasked.jpg.
MANIFEST_COLUMNS = ("alpha", "unmasked")
# Fields that only a row of the manifest has all of.
_ROW = frozenset(("schema", "id", "variant", "status", "split", "identity", "source", "faces", "attributes"))


@dataclass(frozen=True)
class Labels:
    """The labels of one image."""

    source: str | None = None  # the name of its source image if it differs from its own
    split: str | None = None
    identity: str | None = None
    note: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


def labels_of(name: str, key: str, members: Mapping[str, bytes | None]) -> Labels | None:
    """The labels of an image by its name in the tar; None for `MANIFEST_COLUMNS`, which are no samples.

    ``key`` is the name up to the first dot, ``members`` its label files (None for a file that is too large).
    """
    stem = name.rpartition(".")[0]
    values, note = _read_object(members, f"{stem}.json", f"{key}.json")
    if values.keys() >= _ROW:
        return None if stem.removeprefix(f"{key}.") in MANIFEST_COLUMNS else _from_manifest_row(values, key)
    if content := members.get(f"{stem}.cls") or members.get(f"{key}.cls"):
        with suppress(ValueError):  # a file that is not text has no class
            values.setdefault("cls", decode_text(content).strip())
    return _from_object(values, note)


def _read_object(members: Mapping[str, bytes | None], *names: str) -> tuple[dict[str, Any], str | None]:
    """The object in the first of some JSON files, or an empty one and a note."""
    file = next((name for name in names if name in members), None)
    if file is None:
        return {}, f"there is no {names[0]} in the tar"
    if (content := members[file]) is None:
        return {}, f"{file} is too large for labels"
    try:
        values = _DECODER.decode(decode_text(content))
    except (ValueError, RecursionError) as error:
        return {}, f"{file} is not JSON: {error}"
    if not isinstance(values, dict):
        return {}, f"{file} holds a {type(values).__name__}, not an object"
    return values, None


def _from_object(values: Mapping[str, Any], note: str | None) -> Labels:
    plain = {
        _valid_text(name): _valid_text(value)
        for name, value in values.items()
        if isinstance(value, (str, int, float)) and value != ""
    }
    split, identity = plain.pop("split", None), plain.pop("identity", None)
    gender = plain.pop("gender", None) or plain.pop("sex", None)
    notes = [str(part) for part in (plain.pop("note", None), note) if part is not None]
    if gender is not None and (word := gender_of(str(gender))):
        plain["gender"] = word
    elif gender is not None:
        notes.append(f"its gender in the tar is {gender!r}")
    identity = None if identity is None else str(identity)
    return Labels(None, split_of(str(split or "")), identity, "; ".join(notes) or None, plain)


def _from_manifest_row(values: Mapping[str, Any], key: str) -> Labels:
    """The labels of an image that maskgen wrote, with the name of its source."""
    attributes, split, identity = values["attributes"], values["split"], values["identity"]
    if isinstance(attributes, str):
        with suppress(ValueError, RecursionError):
            attributes = _DECODER.decode(attributes)
    items = attributes.items() if isinstance(attributes, dict) else ()
    return Labels(
        source=_source(str(values["id"]), f"variant-{values['variant']}/", key),
        split=split if split in SPLITS else None,
        identity=_valid_text(identity) if identity and isinstance(identity, str) else None,
        attributes={_valid_text(name): _valid_text(value) for name, value in items},
    )


def _source(source: str, variant: str, key: str) -> str | None:
    """The name of the source; other variants get the prefix of ``--layout mirror``."""
    # Otherwise an image could have the name of a folder that contains others.
    if not is_image_name(source.rpartition("/")[2]):
        return None
    with suppress(AnnotationError):
        name = from_text(refuse_escape(source, "its row"))
        # A source may itself lie in a folder of that name.
        several = key.startswith(variant) and (not name.startswith(variant) or key.startswith(2 * variant))
        return f"{variant}{name}" if several else name
    return None


def _valid_text(value: Any) -> Any:
    """A text without lone surrogates, which JSON can hold and a file cannot; any other value unchanged."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
