"""The files of some rows of a manifest, read and measured again, for `maskgen.verify.result`."""

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
from maskgen.results.reader import ResultFiles
from maskgen.results.source_files import SourceFiles
from maskgen.results.tar_rows import member_json, member_of
from maskgen.verify.coverage import coverage_differs


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: "missing", "changed" or "extra".
        file: The file, as the manifest names it; or where in the manifest or run record.
        what: In words.
    """

    kind: str
    file: str
    what: str


@dataclass(frozen=True)
class Batch:
    """Rows whose files are checked together; those of one tar are never apart."""

    rows: tuple[ManifestRow, ...]
    tar: str | None = None


@dataclass(frozen=True)
class Checked:
    """What was found in a batch, with how many files were read and how many alphas measured."""

    findings: tuple[Finding, ...]
    files: int
    alphas: int


@dataclass(frozen=True)
class RowChecker:
    """Checks the files of a batch; goes to worker processes.

    Attributes:
        out: The result.
        packed: Whether its images are in tars.
        templates: Hashes of those the run drew from, as its record has them.
        landmarks: The landmark file it was made with, or None.
        follow_links: Whether links may lead out of the result, as `maskgen.files.safe_paths.following_links`
        allows it.
        sources: The folder that its sources lie below, to compare these too; None leaves them alone.
    """

    out: Path
    packed: bool
    templates: frozenset[str]
    landmarks: Path | None
    follow_links: bool = False
    sources: Path | None = None

    def __call__(self, batch: Batch) -> Checked:
        """Check a batch."""
        with following_links(self.follow_links):
            return self._check(batch)

    def _check(self, batch: Batch) -> Checked:
        files = ResultFiles(self.out, self.packed)
        meshes = _landmark_file(self.landmarks) if self.landmarks else None
        sources = SourceFiles(self.sources) if self.sources else None
        found: list[Finding] = []
        read = alphas = 0
        for row in batch.rows:
            for finding, kind in _check_row(row, files, self.templates, meshes):
                read += kind is not None
                alphas += kind == "alpha"
                found += [finding] if finding else []
            if sources and row.variant == 0:
                found += _check_source(row, sources)
        if batch.tar:
            found += _check_tar(batch, files)
        return Checked(tuple(found), read, alphas)


@lru_cache(maxsize=1)
def _landmark_file(path: Path) -> LandmarkFile:
    """Indexed once per process."""
    return LandmarkFile(path)


def _check_row(
    row: ManifestRow, files: ResultFiles, templates: frozenset[str], meshes: LandmarkFile | None
) -> Iterator[tuple[Finding | None, str | None]]:
    """(finding or None, kind of the file that was read or None) of each check of a row."""
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
        yield _picture(row, row.unmasked_file, files)[1], "unmasked"
    if row.faces and row.faces[0].alpha_file:
        picture, finding = _picture(row, row.faces[0].alpha_file, files)
        if picture is not None:
            for what in _coverages(row, picture[..., 0], meshes):
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
    known = meshes.find(np.broadcast_to(np.uint8(0), (*alpha.shape, 3)), sample_id=row.id) if meshes else []
    outside = alpha.copy()
    for number, face in enumerate(row.faces):
        x, y, width, height = face.mask_box
        outside[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = 0
        if what := coverage_differs(np.ascontiguousarray(alpha), face, size, _same_face(face, known)):
            yield f"face {number}: {what}"
    if outside.any():
        yield "it covers pixels outside of every mask_box"


def _same_face(face: FaceRecord, known: Iterable[Landmarks]) -> Landmarks | None:
    return next((mesh for mesh in known if tuple(round(side) for side in mesh.box) == face.box), None)


def _picture(row: ManifestRow, place: str, files: ResultFiles) -> tuple[Image | None, Finding | None]:
    data, finding = _read(files, place)
    if data is None:
        return None, finding
    try:
        picture = decode(data).bgr
    except UnreadableImageError as error:
        return None, Finding("changed", place, f"no image any more: {error}")
    height, width = picture.shape[:2]
    if (width, height) != (row.width, row.height):
        return None, Finding("changed", place, f"{width} x {height}, expected {row.width} x {row.height}")
    return picture, None


def _read(files: ResultFiles, place: str) -> tuple[bytes | None, Finding | None]:
    try:
        return files.read(place), None
    except FileNotFoundError:
        return None, Finding("missing", place, "named by its row, and gone")
    except (OSError, UnreadableImageError, AnnotationError) as error:
        return None, Finding("changed", place, f"it cannot be read: {error}")


def _check_tar(batch: Batch, files: ResultFiles) -> list[Finding]:
    """What is in a tar beside what its rows name: each image's own row, and nothing else."""
    tar = batch.tar or ""
    try:
        members = files.members(tar)
    except (OSError, UnreadableImageError, AnnotationError):
        return []  # said of each of its images already
    expected: dict[str, bytes | None] = {}
    for row in batch.rows:
        if row.file_name:
            expected |= dict.fromkeys(named_in(row))
            expected[member_of(row.file_name)] = member_json(row)
    found = [
        Finding("extra", f"{tar}/{name}", "no row names it")
        for name in members
        if f"{tar}/{name}" not in expected
    ]
    for name, text in expected.items():
        if text is not None:
            data, finding = _read(files, name)
            if data is not None and data != text:
                finding = Finding("changed", name, "it is not the manifest's row")
            found += [finding] if finding else []
    return found


def named_in(row: ManifestRow) -> list[str]:
    """The files that a row names."""
    alphas = (face.alpha_file for face in row.faces)
    return [name for name in (row.file_name, row.unmasked_file, *alphas) if name]
