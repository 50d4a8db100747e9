"""Check the files of a batch of manifest rows, for `maskgen.verify.result`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from maskgen.errors import AnnotationError, UnreadableImageError
from maskgen.face_mesh import Landmarks
from maskgen.files.safe_paths import following_links
from maskgen.images.codec import decode
from maskgen.landmarks.landmark_file import LandmarkFile
from maskgen.records import FaceRecord, Image, ManifestRow
from maskgen.results.output_files import member_json, member_of
from maskgen.results.reader import ResultFiles, SourceFiles
from maskgen.verify.coverage import coverage_differs


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


@dataclass(frozen=True)
class CheckedBatch:
    """The findings of a batch, and its numbers of files read and alphas measured."""

    findings: tuple[Finding, ...]
    files: int
    alphas: int


@dataclass(frozen=True)
class RowChecker:
    """Check the files of a batch; pickled for worker processes.

    Attributes:
        out: The folder of the result.
        packed: Whether its images are in tars.
        templates: Hashes of the templates in the run record.
        landmarks: The landmark file of the run, or None.
        follow_links: Whether links may lead out of the result, see
            `maskgen.files.safe_paths.following_links`.
        sources: The folder of its sources, to check these too; None skips them.
    """

    out: Path
    packed: bool
    templates: frozenset[str]
    landmarks: Path | None
    follow_links: bool = False
    sources: Path | None = None

    def __call__(self, batch: Batch) -> CheckedBatch:
        """Check a batch."""
        with following_links(self.follow_links):
            return self._check(batch)

    def _check(self, batch: Batch) -> CheckedBatch:
        files = ResultFiles(self.out, self.packed)
        meshes = _landmark_file(self.landmarks) if self.landmarks else None
        sources = SourceFiles(self.sources) if self.sources else None
        findings: list[Finding] = []
        read = alphas = 0
        for row in batch.rows:
            for finding, kind in _check_row(row, files, self.templates, meshes):
                read += kind is not None
                alphas += kind == "alpha"
                findings += [finding] if finding else []
            if sources and row.variant == 0:
                findings += _check_source(row, sources)
        if batch.tar:
            findings += _check_tar(batch, files)
        return CheckedBatch(tuple(findings), read, alphas)


@lru_cache(maxsize=1)
def _landmark_file(path: Path) -> LandmarkFile:
    """Index the file once per process."""
    return LandmarkFile(path)


def _check_row(
    row: ManifestRow, files: ResultFiles, templates: frozenset[str], meshes: LandmarkFile | None
) -> Iterator[tuple[Finding | None, str | None]]:
    """(finding or None, kind of the file read or None) of each check of a row."""
    if (row.status == "masked") != (row.file_name is not None) or (row.status == "masked") != bool(row.faces):
        yield Finding("changed", row.id, f"its row is {row.status}, with image {row.file_name}"), None
    for face in row.faces:
        if face.template and face.template_sha256 not in templates:
            yield Finding("changed", row.id, f"template {face.template} is not the run's"), None
    if row.file_name:
        data, finding = _read(files, row.file_name)
        if data is not None and hashlib.sha256(data).hexdigest() != row.sha256:
            finding = Finding("changed", row.file_name, "its sha256 is not the manifest's")
        yield finding, "image"
    if row.unmasked_file:
        yield _read_image(row, row.unmasked_file, files)[1], "unmasked"
    if row.faces and row.faces[0].alpha_file:
        image, finding = _read_image(row, row.faces[0].alpha_file, files)
        if image is not None:
            for what in _coverages(row, image[..., 0], meshes):
                finding = Finding("changed", row.faces[0].alpha_file, what)
        yield finding, "alpha"


def _check_source(row: ManifestRow, sources: SourceFiles) -> list[Finding]:
    place, before = str(row.source["path"]), row.source["sha256"]
    now = sources.sha256(place)
    if now == before:
        return []
    kind, what = ("changed", "is not the one in the manifest") if now else ("missing", "cannot be computed")
    return [Finding(kind, place, f"the sha256 of this source {what}")]


def _coverages(row: ManifestRow, alpha: Image, meshes: LandmarkFile | None) -> Iterator[str]:
    size = (alpha.shape[1], alpha.shape[0])
    blank = np.broadcast_to(np.uint8(0), (*alpha.shape, 3))
    candidates = meshes.find(blank, sample_id=row.id) if meshes else []
    outside = alpha.copy()
    for number, face in enumerate(row.faces):
        x, y, width, height = face.mask_box
        outside[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = 0
        if what := coverage_differs(np.ascontiguousarray(alpha), face, size, _same_face(face, candidates)):
            yield f"face {number}: {what}"
    if outside.any():
        yield "it covers pixels outside of every mask_box"


def _same_face(face: FaceRecord, meshes: Iterable[Landmarks]) -> Landmarks | None:
    return next((mesh for mesh in meshes if tuple(round(side) for side in mesh.box) == face.box), None)


def _read_image(row: ManifestRow, place: str, files: ResultFiles) -> tuple[Image | None, Finding | None]:
    data, finding = _read(files, place)
    if data is None:
        return None, finding
    try:
        image = decode(data).bgr
    except UnreadableImageError as error:
        return None, Finding("changed", place, f"it cannot be decoded: {error}")
    height, width = image.shape[:2]
    if (width, height) != (row.width, row.height):
        return None, Finding("changed", place, f"{width} x {height}, expected {row.width} x {row.height}")
    return image, None


def _read(files: ResultFiles, place: str) -> tuple[bytes | None, Finding | None]:
    try:
        return files.read(place), None
    except FileNotFoundError:
        return None, Finding("missing", place, "named by its row, and gone")
    except (OSError, UnreadableImageError, AnnotationError) as error:
        return None, Finding("changed", place, f"it cannot be read: {error}")


def _check_tar(batch: Batch, files: ResultFiles) -> list[Finding]:
    """Check that a tar holds the files of its rows, a JSON member for each image, and nothing else."""
    tar = batch.tar or ""
    try:
        members = files.members(tar)
    except (OSError, UnreadableImageError, AnnotationError):
        return []  # already reported per image
    expected: dict[str, bytes | None] = {}
    for row in batch.rows:
        if row.file_name:
            expected |= dict.fromkeys(named_in(row))
            expected[member_of(row.file_name)] = member_json(row)
    findings = [
        Finding("extra", f"{tar}/{name}", "no row names it")
        for name in members
        if f"{tar}/{name}" not in expected
    ]
    for name, text in expected.items():
        if text is not None:
            data, finding = _read(files, name)
            if data is not None and data != text:
                finding = Finding("changed", name, "it is not the manifest's row")
            findings += [finding] if finding else []
    return findings


def named_in(row: ManifestRow) -> list[str]:
    """The files that a row names."""
    alphas = (face.alpha_file for face in row.faces)
    return [name for name in (row.file_name, row.unmasked_file, *alphas) if name]
