"""Check the files of a batch of manifest rows, for `maskgen.verify.result`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.files.safe_paths import following_links
from maskgen.images.codec import decode
from maskgen.landmarks.landmark_file import LandmarkFile
from maskgen.records import Image, ManifestRow
from maskgen.results.reader import ResultFiles
from maskgen.results.source_files import SourceFiles
from maskgen.results.tar_rows import member_json, member_of
from maskgen.verify.coverage import coverage_differences


@dataclass(frozen=True)
class Finding:
    """One difference between a result and its manifest.

    Attributes:
        kind: "missing", "changed" or "extra".
        file: The file, as the manifest names it; or the place in the manifest or run record.
        what: The difference in words.
    """

    kind: str
    file: str
    what: str


@dataclass(frozen=True)
class Batch:
    """Rows whose files are checked together; the rows of a tar form one batch."""

    rows: tuple[ManifestRow, ...]
    tar: str | None = None


@dataclass
class CheckedBatch:
    """The findings of a batch, and its numbers of files read and alphas measured."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    alphas: int = 0


def check_batch(
    out: Path,
    packed: bool,
    templates: frozenset[str],
    landmarks: Path | None,
    sources: Path | None,
    follow_links: bool,
    batch: Batch,
) -> CheckedBatch:
    """Check the files of a batch.

    Args:
        out: The folder of the result.
        packed: Whether its images are in tars.
        templates: Hashes of the templates in the run record.
        landmarks: The landmark file of the run, or None.
        sources: The folder of its sources, to check these too; None skips them.
        follow_links: Whether links may lead out of the result, see `maskgen.files.safe_paths`.
        batch: The rows.
    """
    check = _BatchCheck(
        ResultFiles(out, packed),
        templates,
        _landmark_file(landmarks) if landmarks else None,
        SourceFiles(sources) if sources else None,
    )
    with following_links(follow_links):
        for row in batch.rows:
            check.check_row(row)
        if batch.tar:
            check.check_tar(batch.tar, batch.rows)
    return check.checked


@lru_cache(maxsize=1)
def _landmark_file(path: Path) -> LandmarkFile:
    """Index the file once per process."""
    return LandmarkFile(path)


@dataclass
class _BatchCheck:
    files: ResultFiles
    templates: frozenset[str]
    meshes: LandmarkFile | None
    sources: SourceFiles | None
    checked: CheckedBatch = field(default_factory=CheckedBatch)

    def check_row(self, row: ManifestRow) -> None:
        if (row.status == "masked") != (row.file_name is not None) or (row.status == "masked") != bool(
            row.faces
        ):
            self._add("changed", row.id, f"its row is {row.status}, with image {row.file_name}")
        for face in row.faces:
            if face.template and face.template_sha256 not in self.templates:
                self._add("changed", row.id, f"template {face.template} is not the run's")
        self.checked.files += len({*named_in(row)})
        if row.file_name:
            data = self._read(row.file_name)
            if data is not None and hashlib.sha256(data).hexdigest() != row.sha256:
                self._add("changed", row.file_name, "its sha256 is not the manifest's")
        if row.unmasked_file:
            self._read_image(row, row.unmasked_file)
        if row.faces and (alpha_file := row.faces[0].alpha_file):
            self.checked.alphas += 1
            image = self._read_image(row, alpha_file)
            if image is not None:
                for what in coverage_differences(row, image[..., 0], self.meshes):
                    self._add("changed", alpha_file, what)
        if self.sources and row.variant == 0:
            place = str(row.source["path"])
            sha256 = self.sources.sha256(place)
            if sha256 != row.source["sha256"]:
                what = "is not the one in the manifest" if sha256 else "cannot be computed"
                self._add("changed" if sha256 else "missing", place, f"the sha256 of this source {what}")

    def check_tar(self, tar: str, rows: Iterable[ManifestRow]) -> None:
        """Check that a tar holds the files of its rows, a JSON member for each image, and nothing else."""
        try:
            members = self.files.members(tar)
        except (OSError, UnreadableImageError, AnnotationError):
            return  # already reported per image
        texts = {member_of(row.file_name): member_json(row) for row in rows if row.file_name}
        named = {name for row in rows if row.file_name for name in named_in(row)} | texts.keys()
        for place in (f"{tar}/{name}" for name in members):
            if place not in named:
                self._add("extra", place, "no row names it")
        for place, text in texts.items():
            data = self._read(place)
            if data not in (None, text):
                self._add("changed", place, "it is not the manifest's row")

    def _add(self, kind: str, file: str, what: str) -> None:
        self.checked.findings.append(Finding(kind, file, what))

    def _read(self, place: str) -> bytes | None:
        try:
            return self.files.read(place)
        except FileNotFoundError:
            self._add("missing", place, "named by its row, and gone")
        except (OSError, UnreadableImageError, AnnotationError) as error:
            self._add("changed", place, f"it cannot be read: {error}")
        return None

    def _read_image(self, row: ManifestRow, place: str) -> Image | None:
        data = self._read(place)
        if data is None:
            return None
        try:
            image = decode(data).bgr
        except UnreadableImageError as error:
            self._add("changed", place, f"it cannot be decoded: {error}")
            return None
        height, width = image.shape[:2]
        if (width, height) == (row.width, row.height):
            return image
        self._add("changed", place, f"{width} x {height}, expected {row.width} x {row.height}")
        return None


def named_in(row: ManifestRow) -> list[str]:
    """The files that a row names."""
    alphas = (face.alpha_file for face in row.faces)
    return [name for name in (row.file_name, row.unmasked_file, *alphas) if name]
