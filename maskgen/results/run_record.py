"""The run record ``maskgen.json``, and the differences of two configurations.

The record depends only on options, templates and versions, not on time, machine or number of workers.
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
    """A sha256 in hex of the options, independent of their order."""
    canonical = json.dumps(options, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The differences of two configurations, one sentence an option, in alphabetical order.

    Nested options are named with dots: ``versions.numpy was "1.26.4", now "2.0.0"``.
    """
    sentences: list[str] = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            sentences += differences(before, after, f"{prefix}{name}.")
        elif _plain(before) != _plain(after) or (name in old) != (name in new):
            texts = (
                json.dumps(values[name], ensure_ascii=False) if name in values else "not there"
                for values in (old, new)
            )
            sentences.append("{} was {}, now {}".format(f"{prefix}{name}", *texts))
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

    Args:
        command: The command with every option that affects the bytes, and no other.
        options: All resolved options, as JSON values.
        seed: The seed of the random choices.
        templates: Name -> sha256 of each template in use.
        counts: The counts of the result.
        source: The dataset's title, homepage, licence and citation.
        landmark_model: The landmark engine, and the sha256 of its files.
        processors: Kinds of processor; processors of one kind give the same bytes.
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
    for name, distributions in {
        "numpy": ("numpy",),
        "opencv": ("opencv-python", "opencv-contrib-python", "opencv-python-headless"),
        "mediapipe": ("mediapipe",),
        "pillow": ("pillow",),
        "scipy": ("scipy",),
    }.items():
        versions[name] = next(filter(None, map(_version, distributions)), "not installed")
    return versions


def _plain(value: Any) -> Any:
    """The value after a round trip through JSON, where a tuple becomes a list."""
    return json.loads(json.dumps(value))


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def read_record(out: Path) -> dict[str, Any]:
    """The run record ``OUT/maskgen.json``.

    Raises:
        MissingDataError: The run record or the manifest is absent.
        ConfigurationError: The run record is invalid.
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
