"""The sha256 of files, read in blocks."""

import hashlib
from pathlib import Path


def file_sha256(*paths: Path) -> str:
    """The sha256, in hex, of the content of files one after the other."""
    hashed = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                hashed.update(block)
    return hashed.hexdigest()
