"""``maskgen.json``: what it takes to make a result again, and how two configurations differ.

A function of options, templates and versions alone: no time, no machine, no number of workers.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import maskgen
from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.files.json_text import from_json
from maskgen.results.manifest import SCHEMA


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


def _plain(value: Any) -> Any:
    """The value as it is after a way through JSON, so that a tuple equals the list it was written as."""
    return json.loads(json.dumps(value))


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def read_record(out: Path) -> dict[str, Any]:
    """The run record ``OUT/maskgen.json``.

    Raises:
        MissingDataError: There is none, or no manifest.
        ConfigurationError: It is not JSON.
    """
    for name in ("maskgen.json", "manifest.jsonl"):
        if not (out / name).is_file():
            raise MissingDataError(f"{out}: no finished result of `maskgen synth`: {name} is not there")
    try:
        record = from_json((out / "maskgen.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{out / 'maskgen.json'}: not a run record: {error}") from error
    if not isinstance(record, dict):
        raise ConfigurationError(f"{out / 'maskgen.json'}: not a run record: {type(record).__name__}")
    for name in ("options", "source", "versions", "templates", "counts"):
        part = record.get(name) or {}
        if not isinstance(part, dict) or (name == "templates" and not {*map(type, part.values())} <= {str}):
            raise ConfigurationError(f"{out / 'maskgen.json'}: {name}: expected an object, got {part!r:.80}")
    return record
