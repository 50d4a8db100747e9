"""The specification of a model: classes, input size and crop.

It is a member of the ``.keras`` file, which is a zip archive: a model is one file.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import maskgen
from maskgen.errors import ConfigurationError, ModelError
from maskgen.files.json_text import from_json
from maskgen.train.data.examples import CROPS
from maskgen.train.model.load import SPEC, read_member

MEMBER = SPEC
MOST_CLASSES = 1000
LARGEST_SIZE = 4096
LONGEST_TEXT = 1000


@dataclass(frozen=True)
class ModelSpec:
    """The specification of a model."""

    classes: tuple[str, ...]  # in the order of the outputs
    size: int  # side of the input images, RGB from 0 to 255; preprocessing is inside the model
    crop: str
    margin: float  # around the face, as a share of the longer side of its box
    # Only in files of schema 1: the probability from which the second of two classes is predicted. Later
    # models contain it in their weights; `maskgen.train.model.classifier.open_classifier` treats both alike.
    outer_threshold: float | None
    label: str | None  # the column of the labels; None for the manifest's label
    backbone: str
    version: str = maskgen.__version__

    def to_json(self) -> str:
        """The specification as JSON text."""
        values = asdict(self)
        threshold = values.pop("outer_threshold")
        schema = {"schema": 2} if threshold is None else {"schema": 1, "threshold": threshold}
        return json.dumps({**schema, **values}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Read a text of `to_json`; a `ConfigurationError` if `maskgen train` did not write it."""
        try:
            values: dict[str, Any] = from_json(text)
            schema = values.pop("schema")
            if schema not in (1, 2):
                raise ValueError(f"its schema is {str(schema)[:20]}, which this version does not know")
            if schema == 2 and not values.keys().isdisjoint(("threshold", "outer_threshold")):
                raise ValueError("it has a threshold beside its weights")
            values["outer_threshold"] = values.pop("threshold") if schema == 1 else None
            spec = cls(**{**values, "classes": tuple(values["classes"])})
            _check_values(spec)
            return spec
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"no description of a maskgen model: {error}") from error


def is_name(text: object) -> bool:
    """Whether this can name a class or column in a model: a printable text of at most `LONGEST_TEXT`."""
    return isinstance(text, str) and len(text) <= LONGEST_TEXT and text.isprintable()


def _check_values(spec: ModelSpec) -> None:
    """Check types and ranges: an untrusted model must not request memory or print control codes."""
    names = (*spec.classes, spec.backbone, spec.version, spec.label if spec.label is not None else "")
    checks = {
        "classes": 2 <= len(set(spec.classes)) == len(spec.classes) <= MOST_CLASSES,
        "texts": all(map(is_name, names)),
        "size": type(spec.size) is int and 1 <= spec.size <= LARGEST_SIZE,
        "crop": spec.crop in CROPS,
        # No comparison holds for NaN.
        "margin and threshold": all(
            type(number) in (int, float) and 0 <= number <= most
            for number, most in (
                (spec.margin, 100),
                (0 if spec.outer_threshold is None else spec.outer_threshold, 1),
            )
        ),
    }
    if wrong := [name for name, valid in checks.items() if not valid]:
        raise ValueError(f"{', '.join(wrong)} cannot be those of a model")


def embed_spec(path: Path, spec: ModelSpec) -> None:
    """Add the specification to a ``.keras`` file."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER), spec.to_json())


def read_spec(path: Path) -> ModelSpec:
    """Read the specification from a ``.keras`` file; a `ConfigurationError` if it is not maskgen's."""
    try:
        return ModelSpec.from_json(read_member(path, MEMBER).decode())
    except (ModelError, ConfigurationError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not a model that `maskgen train` wrote: {error}") from error
