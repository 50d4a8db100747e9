"""The manifest, and what is derived from it: rows as JSON lines, the run record, Hugging Face's metadata.

All of it is a function of the sources, the options and the versions alone: no time, no machine, no number of
workers. Two runs of the same command give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import fields
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import maskgen
from maskgen.atomic import open_atomic
from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.names import name_of, text_of
from maskgen.records import SPLITS, FaceRecord, ManifestRow
from maskgen.stores import names_in, open_lines

SCHEMA = 1

# The names of a row's fields in the order of the line; those of a face are in the order of `FaceRecord`.
ROW_FIELDS = (
    *("schema", "id", "variant", "status", "reason", "file_name", "sha256", "width", "height", "label"),
    *("split", "identity", "attributes", "source", "faces", "seed", "unmasked_file"),
)
FACE_FIELDS = tuple(field.name for field in fields(FaceRecord))

# Digits after the point; other numbers stay as they are.
_DIGITS = {"coverage": 3, "landmarks": 2, "pose": 1}

# Folders that Hugging Face's ImageFolder takes for splits; a table above them it does not read.
_SPLIT_FOLDER = re.compile(
    "(.*[-._ 0-9])?(train|training|validation|valid|val|dev|test|testing|eval|evaluation)([-._ 0-9].*)?",
    re.DOTALL,
)

_FACE_COLUMNS = ("template", "kind", "tone", "color", "pattern", "fit", "blend", "wear")
_PARTS = ("nose", "mouth", "chin", "lower_face")

# Legal inside JSON, but ends of line to Python's `splitlines` and to JavaScript.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def row_to_json(row: ManifestRow) -> str:
    """The row as one line of JSON, without the line's end; the text is valid UTF-8 whatever the row holds."""
    values = {name: getattr(row, name) for name in ROW_FIELDS}
    values["faces"] = [_face_values(face) for face in row.faces]
    return _json_line(values)


def row_from_json(line: str) -> ManifestRow:
    """The row that `row_to_json` wrote, numbers rounded as there.

    Raises:
        ConfigurationError: The line is no JSON, is cut short, or is of a newer schema than this version's.
    """
    try:
        values = json.loads(line)
        if values["schema"] > SCHEMA:
            raise ConfigurationError(
                f"schema {values['schema']}, this version of maskgen knows {SCHEMA}: update it"
            )
        values["faces"] = tuple(_face_record(face) for face in values["faces"])
        return ManifestRow(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"not a row of a manifest: {type(error).__name__}: {error}") from error


def read_manifest(path: Path) -> Iterator[ManifestRow]:
    """The rows of a manifest one after the other, whatever its length.

    Raises:
        MissingDataError: The file is not there.
        ConfigurationError: A line is no row; the message names file and line.
    """
    try:
        file = open_lines(path)
    except FileNotFoundError as error:
        raise MissingDataError(f"{path} is not there; `maskgen synth` writes it when a run ends") from error
    with file:
        for number, line in enumerate(file, start=1):
            try:
                row = row_from_json(line.decode())
            except (ConfigurationError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{path}, line {number}: {error}") from error
            yield row


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
) -> dict[str, Any]:
    """The content of ``maskgen.json``: what it takes to make this result again, and what came of it.

    Args:
        command: The command with every option that decides the bytes, and no other.
        options: All options as resolved, as JSON values.
        seed: Where every draw started.
        templates: Name -> sha256 of each template in use.
        counts: What became of the inputs.
        source: What is known of the dataset: title, homepage, licence, citation.
    """
    return {
        "schema": SCHEMA,
        "command": command,
        "options": dict(options),
        "fingerprint": fingerprint(options),
        "seed": seed,
        "versions": versions(),
        "templates": dict(sorted(templates.items())),
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


def metadata_tables(out: Path, layout: str) -> list[str]:
    """Where `write_metadata` may write below ``out``, whose pictures are there."""
    folders: Iterable[str] = ()
    if layout == "folders":
        folders = ("all", *SPLITS)
    elif layout == "mirror":
        folders = ("", *filter(_SPLIT_FOLDER.fullmatch, names_in(out)))
    return [f"{text_of(folder)}/metadata.jsonl".lstrip("/") for folder in folders]


def write_metadata(out: Path, layout: str) -> list[Path]:
    """Writes ``metadata.jsonl`` for Hugging Face's ImageFolder, from ``OUT/manifest.jsonl``.

    One line for each written picture: its path as ``file_name``, label, split, identity, attributes, and the
    mask of its first face. With the layout "folders" there is one file in each split's folder, since
    ImageFolder ignores one above them; otherwise one in ``OUT``, and in folders at its top that ImageFolder
    takes for splits. ``file_name`` is relative to that file.

    Where unmasked pictures and alphas were written, ``unmasked_file_name`` and ``alpha_file_name`` make
    ImageFolder load them beside the picture. With splits they lie outside of the split's folder, which
    ImageFolder refuses, and ``unmasked_file`` and ``alpha_file`` name them as text, relative to ``OUT``.

    Returns:
        The files written, in the order of their names.
    """
    attributes = sorted({name for row in _masked(out) for name in row.attributes})
    written: dict[Path, BinaryIO] = {}
    with ExitStack() as files:
        for row in _masked(out):
            folder = (row.file_name or "").partition("/")[0]
            if layout != "folders" and not _SPLIT_FOLDER.fullmatch(folder):
                folder = ""
            path = out / name_of(folder) / "metadata.jsonl"
            if path not in written:
                written[path] = files.enter_context(open_atomic(path))
            written[path].write((_json_line(_columns(row, folder, attributes)) + "\n").encode())
    return sorted(written)


def _masked(out: Path) -> Iterator[ManifestRow]:
    return (row for row in read_manifest(out / "manifest.jsonl") if row.status == "masked" and row.file_name)


def _columns(row: ManifestRow, folder: str, attributes: Iterable[str]) -> dict[str, Any]:
    face = row.faces[0] if row.faces else None
    columns: dict[str, Any] = {
        "file_name": (row.file_name or "").removeprefix(f"{folder}/" if folder else "")
    }
    for name in ("id", "variant", "label", "split", "identity"):
        columns[name] = getattr(row, name)
    for name in _FACE_COLUMNS:
        columns[name] = getattr(face, name, None)
    for name in _PARTS:
        columns[f"coverage_{name}"] = face.coverage.get(name) if face else None
    columns["faces"] = len(row.faces)
    ending = "file" if folder else "file_name"
    if row.unmasked_file:
        columns[f"unmasked_{ending}"] = row.unmasked_file
    if face and face.alpha_file:
        columns[f"alpha_{ending}"] = face.alpha_file
    for name in attributes:
        # ImageFolder takes any column with this ending for a picture.
        if not name.endswith("file_name"):
            columns[f"attribute_{name}" if name in columns else name] = row.attributes.get(name)
    return columns


def _face_values(face: FaceRecord) -> dict[str, Any]:
    values = {name: getattr(face, name) for name in FACE_FIELDS}
    return {
        name: _rounded(value, _DIGITS[name]) if name in _DIGITS else value for name, value in values.items()
    }


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(part, digits) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(part, digits) for part in value]
    return round(float(value), digits) + 0.0  # of -0.0 this makes 0.0


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


def _json_line(values: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(values), ensure_ascii=False, allow_nan=False)
    text = _LINE_ENDS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    text = _UNDECODABLE.sub(lambda match: text_of(match[0]), text)
    return _SURROGATES.sub("\ufffd", text)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
