"""The run record ``maskgen.json``, and the differences of two configurations.

The record depends only on options, templates and versions, not on time, machine or number of workers.
"""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import maskgen
from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.files.json_text import from_json
from maskgen.results.manifest import SCHEMA


def fingerprint(options: Mapping[str, Any]) -> str:
    """A sha256 in hex of the options, independent of their order."""
    canonical = json.dumps(options, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The differences of two configurations, sorted: ``versions.numpy was "1.26.4", now "2.0.0"``."""
    sentences: list[str] = []
    old, new = (json.loads(json.dumps(values)) for values in (old, new))  # a tuple becomes a list
    for name in sorted({*old, *new}):
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
            sentences += differences(old[name], new[name], f"{prefix}{name}.")
        elif name not in old or name not in new or old[name] != new[name]:
            before, after = (
                json.dumps(values[name], ensure_ascii=False) if name in values else "not there"
                for values in (old, new)
            )
            sentences.append(f"{prefix}{name} was {before}, now {after}")
    return sentences


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
    """The content of ``maskgen.json``: the recipe of a result, and its counts.

    ``command`` has every option that affects the bytes, and no other. ``templates`` maps each template in
    use to its sha256, ``landmark_model`` is the engine and the sha256 of its files, ``processors`` are the
    kinds of processor: those of one kind give the same bytes.
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
    """The versions of packages that may affect the bytes, from their metadata, without importing them."""
    versions = {"maskgen": maskgen.__version__, "python": platform.python_version()}
    # Of several distributions of OpenCV, the last that is installed counts.
    opencv = ("opencv-python-headless", "opencv-contrib-python", "opencv-python")
    for distribution in ("numpy", *opencv, "ai-edge-litert", "pillow", "scipy"):
        name = distribution.removeprefix("ai-edge-").partition("-")[0]
        versions.setdefault(name, "not installed")
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(distribution)
    return versions


def read_record(out: Path) -> dict[str, Any]:
    """The run record ``OUT/maskgen.json``; a `ConfigurationError` if it is invalid.

    A `MissingDataError` if it or the manifest is absent.
    """
    path = out / "maskgen.json"
    for file in (path, out / "manifest.jsonl"):
        if not file.is_file():
            raise MissingDataError(f"{out}: no finished result of `maskgen synth`: {file.name} is not there")
    try:
        record = from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{path}: not a run record: {error}") from error
    if not isinstance(record, dict):
        raise ConfigurationError(f"{path}: not a run record: {type(record).__name__}")
    for name in ("options", "source", "versions", "templates", "counts"):
        part = record.get(name) or {}
        if not isinstance(part, dict) or (name == "templates" and not {*map(type, part.values())} <= {str}):
            raise ConfigurationError(f"{path}: {name}: expected an object, got {part!r:.80}")
    return record
