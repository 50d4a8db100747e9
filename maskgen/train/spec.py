"""What has to be known to use a model: its classes, what it is shown of a picture, when it says which class.

It lies inside the ``.keras`` file, which is a zip archive, so that a model can be copied alone.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import maskgen
from maskgen.errors import ConfigurationError, MissingDataError

MEMBER = "maskgen.json"


@dataclass(frozen=True)
class ModelSpec:
    """All that `predict` needs beside the weights.

    Attributes:
        classes: Names, in the order of the outputs.
        size: Side of the pictures, RGB from 0 to 255; preprocessing is inside the model.
        crop: "full", "face" or "upper-face": see `maskgen.train.crops`.
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
            ConfigurationError: It is something else.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            values.pop("schema")
            return cls(**{**values, "classes": tuple(values["classes"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"no description of a maskgen model: {error}") from error


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
    if not path.is_file():
        raise MissingDataError(f"{path}: there is no such model")
    try:
        with zipfile.ZipFile(path) as archive:
            return ModelSpec.from_json(archive.read(MEMBER).decode())
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigurationError(f"{path}: not a model that `maskgen train` wrote: {error}") from error
