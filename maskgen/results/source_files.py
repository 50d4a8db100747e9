"""Read the sources of a result by their paths in its rows."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import refuse_escape
from maskgen.files.tar import read_file
from maskgen.results.reader import ResultFiles


class SourceFiles(ResultFiles):
    """Read sources; the members of the last tar are cached.

    Args:
        base: The base folder of their relative paths.
    """

    def __init__(self, base: Path) -> None:
        super().__init__(base, packed=True)

    def sha256(self, place: str) -> str | None:
        """The sha256 of a source, by its path in the manifest; None if it cannot be read."""
        try:
            tar = self._tar_of(place)
            data = read_file(self.path(place)) if tar is None else self.member(tar, place)
        except (OSError, UnreadableImageError, AnnotationError):
            return None
        return hashlib.sha256(data).hexdigest()

    def path(self, place: str) -> Path:
        """The file of a path in the manifest; links may lead anywhere in the user's own dataset."""
        return self._out / refuse_escape(from_text(place), "manifest.jsonl")

    def _tar_of(self, place: str) -> str | None:
        above = (str(parent) for parent in PurePosixPath(place).parents)
        return next((name for name in above if name.endswith(".tar") and self.path(name).is_file()), None)
