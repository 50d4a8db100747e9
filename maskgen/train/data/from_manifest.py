"""Examples from the manifest of a `maskgen synth` output folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maskgen.errors import UsageError
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import contained
from maskgen.records import ManifestRow
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import Members
from maskgen.train.data.examples import Dropped, Example, Wanted, space_of

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
    """
    rows = paired = 0
    members, folder_space = Members(folder), space_of(folder)
    for row in read_manifest(folder / MANIFEST):
        rows += row.status == "masked"
        paired += row.unmasked_file is not None
        # The namespace in which names of sources and persons are unique.
        dataset = row.source.get("dataset") or ""
        space = folder_space if dataset in GENERIC else dataset
        if wanted.which != "unmasked":
            yield _image(folder, members, space, row, wanted.label, masked=True)
        if wanted.which != "masked" and row.variant == 0:
            yield _image(folder, members, space, row, wanted.label, masked=False)
    if rows and not paired and wanted.which != "masked":
        raise UsageError(
            f"{folder} has no unmasked images: create them with `maskgen synth --pairs`, or "
            f"omit --{wanted.which}"
        )


def _image(
    folder: Path, members: Members, space: str, row: ManifestRow, column: str | None, *, masked: bool
) -> Example | Dropped:
    """The masked or the unmasked image of a row; a missing image is `Dropped`."""
    face = row.faces[0] if row.faces else None
    face_values = {field: getattr(face, field) for field in FACE_FIELDS} if face and masked else {}
    label, file = _label(row, column), row.file_name if masked else row.unmasked_file
    example = Example(
        id=f"{folder.name}/{row.id}{f'#{row.variant}' if row.variant else ''}{'' if masked else ' unmasked'}",
        path=folder,
        label=label or "",
        data=str(folder),
        split=row.split,
        # If persons are the classes, each person must be in every split.
        identity=None if row.identity is None or column == "identity" else f"{space}: {row.identity}",
        source=f"{space}: {row.id}",
        hashes=frozenset(filter(None, [row.source.get("sha256")])),
        masked=masked,
        attributes={**row.attributes, **{k: value for k, value in face_values.items() if value is not None}},
        box=face.box if face is not None else None,
    )
    if column in FACE_FIELDS and not masked:
        return example.dropped("no label", f"an unmasked face has no {column}")
    if label is None and column not in FACE_FIELDS:
        return example.dropped("no label", row.reason or "")
    if row.status != "masked":
        return example.dropped(row.status, row.reason or "")
    if label is None:
        return example.dropped("no label")
    if file is None:
        return example.dropped("no masked image" if masked else "no unmasked image")
    path = folder / contained(folder, from_text(file), f"{folder / MANIFEST}, {row.id}")
    return replace(example, path=path, member=members.find(path.relative_to(folder).as_posix()))


def _label(row: ManifestRow, column: str | None) -> str | None:
    if column is None:
        return row.label
    if column in FACE_FIELDS:
        value = getattr(row.faces[0], column) if row.faces else None
    else:
        value = getattr(row, column) if column in ROW_FIELDS else row.attributes.get(column)
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
