"""The zip archive of a ``.keras`` file: allowed members and their maximum sizes."""

from __future__ import annotations

import zipfile
from pathlib import Path

from maskgen.errors import MissingDataError, ModelError
from maskgen.keras_runtime import one_line
from maskgen.train.model.weights_file import LARGEST_WEIGHTS

CONFIG, WEIGHTS, SPEC = "config.json", "model.weights.h5", "maskgen.json"
# In bytes. The configuration of the largest model, EfficientNet-B7, has 1 MB.
LARGEST_MEMBERS = {
    CONFIG: 8 << 20,
    WEIGHTS: LARGEST_WEIGHTS + (64 << 20),
    SPEC: 1 << 20,
    "metadata.json": 1 << 20,
}


def read_member(path: Path, name: str) -> bytes:
    """Read a member of a ``.keras`` archive.

    Raises:
        MissingDataError: The file does not exist.
        ModelError: The archive is damaged, or Keras did not write it.
    """
    if not path.is_file():
        raise MissingDataError(f"{path}: this model does not exist")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            return archive.read(name)
    except Exception as error:
        # For damaged archives zipfile raises many types, from struct.error to RuntimeError.
        raise ModelError(f"{path}: not a .keras file: {one_line(error)}") from error


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Check that each member occurs once and uncompressed, so reading it cannot need more memory."""
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ValueError("it has two members with one name")
    for member in members:
        if member.file_size > LARGEST_MEMBERS.get(member.filename, 0):
            raise ValueError(f"its member {member.filename[:80]!r} is none of a model's, or is too large")
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(f"its member {member.filename} is compressed; Keras does not compress members")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members overlap")
