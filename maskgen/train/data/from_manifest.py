"""Examples from the manifest of a `maskgen synth` output folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskgen.errors import UsageError
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import contained
from maskgen.records import ManifestRow
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import Members
from maskgen.train.data.examples import FOLD, Dropped, Example, Wanted, space_of

MANIFEST = "manifest.jsonl"
# Working folder of `maskgen synth`; without a manifest beside it, the run is unfinished.
WORKPLACE = ".maskgen"

# Fields of the first face that can be groups or classes.
FACE_FIELDS = ("template", "kind", "tone", "wear", "blend", "fit", "color", "pattern")
ROW_FIELDS = ("label", "identity", "split")

# Adapters for any data: their names are unique only within one folder.
GENERIC = ("folder", "table", "gender-folders", "webdataset")


def from_manifest(folder: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    """Convert each row of a manifest to examples or dropped images.

    With "both", a row gives its masked and its unmasked image. The variants of one image share the unmasked
    twin of variant 0.

    Raises:
        UsageError: Unmasked images are wanted, and the folder has none.
    """
    rows = paired = 0
    members, folder_space = Members(folder), space_of(folder)
    for row in read_manifest(folder / MANIFEST):
        rows += row.status == "masked"
        paired += row.unmasked_file is not None
        # The namespace in which names of sources and persons are unique.
        dataset = row.source.get("dataset") or ""
        space = folder_space if dataset in GENERIC else dataset
        for each in _images_of_row(folder, space, row, wanted):
            yield _with_member(members, folder, each) if isinstance(each, Example) else each
    if rows and not paired and wanted.which != "masked":
        raise UsageError(
            f"{folder} has no unmasked images: create them with `maskgen synth --pairs`, or "
            f"omit --{wanted.which}"
        )


def _with_member(members: Members, folder: Path, example: Example) -> Example:
    member = members.find(example.path.relative_to(folder).as_posix())
    return example if member is None else replace(example, member=member)


def _images_of_row(folder: Path, space: str, row: ManifestRow, wanted: Wanted) -> Iterator[Example | Dropped]:
    name = f"{folder.name}/{row.id}" + (f"#{row.variant}" if row.variant else "")
    if wanted.which != "unmasked":
        yield _image(folder, space, row, wanted.label, name, row.file_name, True)
    if wanted.which != "masked" and row.variant == 0:
        yield _image(folder, space, row, wanted.label, f"{name} unmasked", row.unmasked_file, False)


def _image(
    folder: Path, space: str, row: ManifestRow, column: str | None, name: str, file: str | None, masked: bool
) -> Example | Dropped:
    """The masked or the unmasked image of a row; a missing image is `Dropped`."""
    label = _label(row, column)
    source = f"{space}: {row.id}"
    identity = f"{space}: {row.identity}" if row.identity is not None else None

    def dropped(reason: str, detail: str = "") -> Dropped:
        fold = row.attributes.get(FOLD)
        return Dropped(name, reason, detail, row.split, str(folder), source, identity, fold)

    if column in FACE_FIELDS and not masked:
        return dropped("no label", f"an unmasked face has no {column}")
    if label is None and column not in FACE_FIELDS:
        return dropped("no label", row.reason or "")
    if row.status != "masked":
        return dropped(row.status, row.reason or "")
    if label is None:
        return dropped("no label")
    if file is None:
        return dropped("no masked image" if masked else "no unmasked image")
    face = row.faces[0] if row.faces else None
    attributes: dict[str, Any] = dict(row.attributes)
    if face is not None and masked:
        attributes |= {field: value for field in FACE_FIELDS if (value := getattr(face, field)) is not None}
    sha256 = row.source.get("sha256")
    return Example(
        id=name,
        path=folder / contained(folder, from_text(file), f"{folder / MANIFEST}, {row.id}"),
        label=label,
        data=str(folder),
        split=row.split,
        # If persons are the classes, each person must be in every split.
        identity=identity if column != "identity" else None,
        source=source,
        hashes=frozenset((sha256,)) if sha256 else frozenset(),
        masked=masked,
        attributes=attributes,
        box=face.box if face is not None else None,
    )


def _label(row: ManifestRow, label: str | None) -> str | None:
    if label is None:
        return row.label
    if label in FACE_FIELDS:
        value = getattr(row.faces[0], label) if row.faces else None
    else:
        value = getattr(row, label) if label in ROW_FIELDS else row.attributes.get(label)
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
