"""The zip archive of a ``.keras`` file: what it may hold, and how large each member may be."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from maskgen.errors import MissingDataError, ModelError
from maskgen.keras_runtime import one_line
from maskgen.train.model.weights_file import LARGEST_WEIGHTS

CONFIG, WEIGHTS, SPEC = "config.json", "model.weights.h5", "maskgen.json"
# In bytes. The largest model, EfficientNet-B7, has a description of 1 MB.
LARGEST_MEMBERS = {
    CONFIG: 8 << 20,
    WEIGHTS: LARGEST_WEIGHTS + (64 << 20),
    SPEC: 1 << 20,
    "metadata.json": 1 << 20,
}


def read_member(path: Path, name: str) -> bytes:
    """The bytes of a file in a ``.keras`` archive.

    Raises:
        MissingDataError: The archive is not there.
        ModelError: It is damaged, or is packed otherwise than Keras packs.
    """
    if not path.is_file():
        raise MissingDataError(f"{path}: there is no such model")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            return archive.read(name)
    except (
        OSError,
        zipfile.BadZipFile,
        LookupError,
        ValueError,
        RuntimeError,
        EOFError,
        struct.error,
    ) as error:
        raise ModelError(f"{path}: not a .keras file: {one_line(error)}") from error


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Keras stores its members uncompressed, each once: what is unpacked is never larger than the file."""
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ValueError("it has two members of one name")
    for member in members:
        if member.file_size > LARGEST_MEMBERS.get(member.filename, 0):
            raise ValueError(f"its member {member.filename[:80]!r} is none of a model, or too large")
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(f"its member {member.filename} is compressed; Keras stores it as it is")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members overlap")
