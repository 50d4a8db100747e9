"""What has to be known to use a model: its classes, what it is shown of an image, when it says which class.

It lies inside the ``.keras`` file, which is a zip archive, so that a model can be copied alone.
"""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import maskgen
from maskgen.errors import ConfigurationError, ModelError
from maskgen.files.json_text import from_json
from maskgen.train.data.crops import CROPS
from maskgen.train.model.archive import SPEC, read_member

MEMBER = SPEC
MOST_CLASSES = 1000
LARGEST_SIZE = 4096
LONGEST_TEXT = 1000


@dataclass(frozen=True)
class ModelSpec:
    """All that `predict` needs beside the weights.

    Attributes:
        classes: Names, in the order of the outputs.
        size: Side of the images, RGB from 0 to 255; preprocessing is inside the model.
        crop: "full", "face" or "upper-face": see `maskgen.train.data.crops`.
        margin: Around the face, in sides of its box.
        threshold: From which probability on the second of two classes is said; chosen on validation. None
            takes the most probable class.
        label: Which column was learnt; None for the manifest's own.
        backbone: Which one it was built on.
        version: Of maskgen.
    """

    classes: tuple[str, ...]
    size: int
    crop: str
    margin: float
    threshold: float | None
    label: str | None
    backbone: str
    version: str = maskgen.__version__

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps({"schema": 1, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """What `to_json` gave.

        Raises:
            ConfigurationError: It is something else, or a value is not what `maskgen train` writes.
        """
        try:
            values: dict[str, Any] = from_json(text)
            values.pop("schema")
            spec = cls(**{**values, "classes": tuple(values["classes"])})
            _check_values(spec)
            return spec
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"no description of a maskgen model: {error}") from error


def is_name(text: object) -> bool:
    """Whether this can name a class or column in a model: a printable text of at most `LONGEST_TEXT`."""
    return isinstance(text, str) and len(text) <= LONGEST_TEXT and text.isprintable()


def _check_values(spec: ModelSpec) -> None:
    """Check types and ranges: a model of others may ask for no memory and write no control codes."""
    texts = (*spec.classes, spec.backbone, spec.version, *(() if spec.label is None else (spec.label,)))
    numbers = (spec.margin, 0.0 if spec.threshold is None else spec.threshold)
    checks = {
        "classes": 2 <= len(set(spec.classes)) == len(spec.classes) <= MOST_CLASSES,
        "texts": all(map(is_name, texts)),
        "size": type(spec.size) is int and 1 <= spec.size <= LARGEST_SIZE,
        "crop": spec.crop in CROPS,
        "margin and threshold": all(
            type(number) in (int, float) and math.isfinite(number) and 0 <= number <= most
            for number, most in zip(numbers, (100, 1), strict=True)
        ),
    }
    wrong = [name for name, right in checks.items() if not right]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} cannot be those of a model")


def embed_spec(path: Path, spec: ModelSpec) -> None:
    """Add the description to a ``.keras`` file."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER), spec.to_json())


def read_spec(path: Path) -> ModelSpec:
    """The description inside a ``.keras`` file.

    Raises:
        MissingDataError: There is no such file.
        ConfigurationError: It is no model of maskgen.
    """
    try:
        return ModelSpec.from_json(read_member(path, MEMBER).decode())
    except (ModelError, ConfigurationError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not a model that `maskgen train` wrote: {error}") from error
